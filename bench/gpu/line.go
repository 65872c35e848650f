package main

import (
	"fmt"
	"slices"
	"strconv"
)

// line is the rest of a request, read word by word; the first mistake sticks.
type line struct {
	words []string
	err   error
}

func (l *line) word() string {
	if len(l.words) == 0 {
		l.fail("too few words")
		return ""
	}
	w := l.words[0]
	l.words = l.words[1:]
	return w
}

// count is a whole number from least on.
func (l *line) count(least int) int {
	w := l.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < least {
		l.fail(fmt.Sprintf("%q is no whole number from %d on", w, least))
		return least
	}
	return n
}

// flags are the words that are left, each one of the known.
func (l *line) flags(known ...string) map[string]bool {
	set := map[string]bool{}
	for _, w := range l.words {
		if !slices.Contains(known, w) {
			l.fail(fmt.Sprintf("%q: none of %v", w, known))
		}
		set[w] = true
	}
	l.words = nil
	return set
}

func (l *line) fail(why string) {
	if l.err == nil {
		l.err = fmt.Errorf("request: %s", why)
	}
}

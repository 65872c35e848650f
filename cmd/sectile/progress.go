package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sectile-ml/sectile/methods"
)

// progress is the line that says how far a run is: rewritten in place on a
// terminal, else a new line every few seconds.
type progress struct {
	out      io.Writer
	terminal bool
	epochs   int
	last     time.Time
	width    int // of the line that stands on the terminal
	loss     float64
}

func newProgress(out io.Writer, epochs int) *progress {
	p := &progress{out: out, epochs: epochs, last: time.Now()}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step shows a step if it is time to. The loss is a running mean of about
// 20 steps: that of one step says little.
func (p *progress) step(s methods.Progress) {
	if p.loss == 0 {
		p.loss = float64(s.Loss)
	}
	p.loss += (float64(s.Loss) - p.loss) / 20
	every := 5 * time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	end := s.Iteration+1 == s.Iterations
	if now := time.Now(); end || now.Sub(p.last) >= every {
		p.last = now
		p.show(fmt.Sprintf("epoch %*d/%d  step %*d/%d  loss %.3f  %.0f images/s  ETA %s",
			digits(p.epochs), s.Epoch+1, p.epochs, digits(s.Iterations), s.Iteration+1, s.Iterations, p.loss, s.ImagesPerS, clock(s.Remaining)))
	}
	if end {
		p.end()
	}
}

// say shows what is going on between steps.
func (p *progress) say(what string) {
	p.show(what)
	if !p.terminal {
		p.last = time.Now()
	}
}

// note leaves a line for good, above the one that moves.
func (p *progress) note(line string) {
	p.clear()
	fmt.Fprintln(p.out, line)
}

func (p *progress) show(line string) {
	if !p.terminal {
		fmt.Fprintln(p.out, line)
		return
	}
	fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-len(line))))
	p.width = len(line)
}

// end leaves the line as it is and begins a new one.
func (p *progress) end() {
	if p.width > 0 {
		fmt.Fprintln(p.out)
	}
	p.width = 0
}

// clear takes the line away.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
	p.width = 0
}

// clock is a duration as 0:07, 1:32 or 26:03:10.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// digits is the width of n.
func digits(n int) int { return len(fmt.Sprint(n)) }

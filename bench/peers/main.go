package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	var err error
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		err = serve(os.Stdin, os.Stdout, os.Args[2], os.Args[3:])
	} else {
		err = compare(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func compare(args []string) error {
	var blas, extra, env, write list
	f := flag.NewFlagSet("peers", flag.ExitOnError)
	threads := f.Int("threads", 1, "threads of every provider")
	rounds := f.Int("rounds", 9, "rounds; a round asks every provider once, after measuring the peak")
	sets := f.String("set", "cubes,resnet,contrast,trans", "sets of shapes")
	python := f.String("python", "", "Python with torch; without it MKL and oneDNN are not measured")
	slow := f.Float64("slow", 2.5e9, "largest product, in FLOP, that the libraries written in Go are asked for")
	times := f.String("times", "", "file of measured times: shapes in it are not measured again, others are added, so that a run may be made in pieces")
	f.Var(&write, "write", "file whose table is replaced (repeat for more); without it the table is printed")
	f.Var(&blas, "blas", "name=LIBRARY:SYMBOL, a Fortran sgemm (repeat for more)")
	f.Var(&extra, "worker", "name=COMMAND, any worker (repeat for more)")
	f.Var(&env, "env", "name:KEY=VALUE, environment of a provider (repeat for more)")
	if err := f.Parse(args); err != nil {
		return err
	}
	shapes, err := shapesOf(strings.Split(*sets, ","))
	if err != nil {
		return err
	}
	providers, err := providersOf(blas, extra, env, *python, *slow)
	if err != nil {
		return err
	}
	t, err := run(providers, shapes, *threads, *rounds, *times)
	if err != nil {
		return err
	}
	text := t.markdown(command(args))
	if len(write) == 0 {
		fmt.Print(text)
	}
	for _, file := range write {
		if err := replace(file, *threads, text); err != nil {
			return err
		}
	}
	return nil
}

// command is what repeats a run, without the files of one machine.
func command(args []string) string {
	words := []string{"go run ."}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-times", "-write":
			i++
			continue
		case "-python":
			i++
			words = append(words, "-python", "PYTHON")
			continue
		}
		words = append(words, args[i])
	}
	return strings.Join(words, " ")
}

// replace puts a table between its two marks in a file.
func replace(file string, threads int, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	mark := fmt.Sprintf("<!-- peers threads=%d -->\n", threads)
	before, rest, ok := strings.Cut(string(old), mark)
	_, after, end := strings.Cut(rest, "<!-- /peers -->")
	if !ok || !end {
		return fmt.Errorf("%s lacks the marks %q and %q", file, strings.TrimSpace(mark), "<!-- /peers -->")
	}
	return os.WriteFile(file, slices.Concat([]byte(before+mark), []byte(text), []byte("<!-- /peers -->"+after)), 0o666)
}

// Command sectile pretrains image encoders without labels.
//
//	sectile pretrain swav            the embedded images, about three minutes on two cores;
//	                                 or moco, simclr, pcl
//	sectile eval knn RUN             judge a run again; or eval linear
//	sectile embed RUN --out FILE     features of images
//	sectile search RUN --query FILE  images most like one
//	sectile assign RUN --out FILE    prototype or cluster of each image
//	sectile story                    all methods at four batch sizes, and the figure
//	sectile info                     CPU, kernels and why, peak
//	sectile bench --worker           answers the requests of a benchmark driver
//
// Exit codes: 0 done, 1 an error (one line on standard error says what to do),
// 130 after Ctrl-C once the checkpoint is written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sectile-ml/sectile/autograd"
	"github.com/sectile-ml/sectile/tensor"
)

// started is when the process began, for the worker's request `first`.
var started = time.Now()

// errInterrupted ends a run whose checkpoint was written after Ctrl-C.
var errInterrupted = errors.New("interrupted")

type command struct {
	name, args, what string
	run              func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"pretrain", "METHOD [flags]", "train an encoder: swav, moco, simclr or pcl", pretrain},
		{"eval", "PROTOCOL RUN [flags]", "judge a run's encoder: knn or linear", evaluate},
		{"embed", "RUN --out FILE", "write the features of images", embedImages},
		{"search", "RUN --query IMAGE", "print the images most like one", search},
		{"assign", "RUN --out FILE.csv", "write the prototype or cluster of each image", assign},
		{"story", "[flags]", "all methods at four batch sizes and equal cost, as a figure", tellStory},
		{"info", "", "CPU, kernels and why they run, multiply-add peak", info},
		{"bench", "--worker", "answer benchmark requests on standard input", bench},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its streams; it returns the exit code. When ctx ends, a run
// writes its checkpoint and stops.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var err error
	if failed := tensor.Try(func() { err = dispatch(ctx, args, out) }); failed != nil {
		err = failed
	}
	if e := autograd.CloseTrace(); err == nil {
		err = e
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	}
	fmt.Fprintln(errOut, "sectile:", oneLine(err))
	return 1
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(out)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	return fmt.Errorf("no command %q; commands: %s", args[0], names())
}

func usage(out io.Writer) {
	fmt.Fprint(out, "sectile pretrains image encoders without labels.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  sectile %-26s %s\n", c.name+" "+c.args, c.what)
	}
	fmt.Fprint(out, "\nsectile COMMAND --help lists a command's flags. First run: sectile pretrain swav\n")
}

// quoted lists words as they were typed.
func quoted(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Trim(fmt.Sprintf("%q", words), "[]")
}

func names() string {
	var s []string
	for _, c := range commands() {
		s = append(s, c.name)
	}
	return strings.Join(s, ", ")
}

// program is how this program was called, for lines that can be typed again.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/sectile"
	}
	return os.Args[0]
}

func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}

// newFlags is a flag set whose errors come back instead of being printed.
func newFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// parse reads flags that may stand before and behind the positional
// arguments, of which there are exactly n; want says which. --help prints
// usage and the flags to out.
func parse(f *flag.FlagSet, args []string, n int, want, usage string, out io.Writer) ([]string, error) {
	var pos []string
	for {
		err := f.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(out, "usage: sectile %s %s\n\n", f.Name(), usage)
			f.SetOutput(out)
			f.PrintDefaults()
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("%v; sectile %s --help lists the flags", err, f.Name())
		}
		if args = f.Args(); len(args) == 0 {
			break
		}
		pos, args = append(pos, args[0]), args[1:]
	}
	if len(pos) != n {
		return nil, fmt.Errorf("%s wants %s; got %s; sectile %s --help lists the flags", f.Name(), want, quoted(pos), f.Name())
	}
	return pos, nil
}

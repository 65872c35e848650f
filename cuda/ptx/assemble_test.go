package ptx

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write assembled.txt anew")

// architectures are the chips that every kernel is assembled for.
var architectures = []string{"80", "86", "89", "90", "100", "120"}

// opcodes are counted in the code for sm_90: wide accesses, asynchronous
// copies, matrix loads and products.
var opcodes = []string{"LDG.E.128", "STG.E.128", "LDGSTS", "LDSM", "HMMA"}

const tableFile = "assembled.txt"

// TestAssembles has NVIDIA's assembler take every kernel for every
// architecture, without spills, and compares registers, shared memory and
// opcodes with the table, when the assembler is of the table's version (the
// first line). After a change of kernels:
//
//	SECTILE_PTXAS=... SECTILE_NVDISASM=... go test ./cuda/ptx -run Assembles -update
//
// The wheels nvidia-cuda-nvcc and nvidia-cuda-nvdisasm of PyPI bring both
// programs; without them the test skips (SECTILE_REQUIRE_PTXAS=1: fails).
func TestAssembles(t *testing.T) {
	ptxas, disasm := program(t, "SECTILE_PTXAS", "ptxas"), ""
	version := regexp.MustCompile(`V[\d.]+`).FindString(output(t, ptxas, "--version"))
	want, _ := os.ReadFile(tableFile)
	compare := *update || strings.HasPrefix(string(want), "ptxas "+version+"\n")
	if compare {
		disasm = program(t, "SECTILE_NVDISASM", "nvdisasm")
	}
	names, err := fs.Glob(files, "*.ptx")
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]string, len(All()))
	for _, k := range All() {
		rows[k.Index()] = fmt.Sprintf("%-24s", k.Name)
	}
	shared, counts := map[string]string{}, map[string]string{}
	dir := t.TempDir()
	for _, arch := range architectures {
		texts := assemble(t, ptxas, dir, arch, names)
		found := map[string]string{}
		for i, file := range names {
			for _, m := range usage.FindAllStringSubmatch(texts[i], -1) {
				found[m[1]] = m[2]
				shared[m[1]] = sharedBytes.FindString(m[3])
			}
			if arch == "90" && compare {
				count(output(t, disasm, "-c", filepath.Join(dir, arch+file)+".cubin"), counts)
			}
		}
		for _, k := range All() {
			rows[k.Index()] += fmt.Sprintf(" %4s", found[k.Name])
		}
	}
	if !compare || t.Failed() {
		return
	}
	got := "ptxas " + version + "\n" + fmt.Sprintf("%-24s", "registers for sm_")
	for _, a := range architectures {
		got += fmt.Sprintf(" %4s", a)
	}
	got += " shared  " + strings.Join(opcodes, " ") + "\n"
	for _, k := range All() {
		s := strings.TrimSuffix(shared[k.Name], " bytes smem")
		got += strings.TrimRight(fmt.Sprintf("%s %6s  %s", rows[k.Index()], s, counts[k.Name]), " ") + "\n"
	}
	if *update {
		if err := os.WriteFile(tableFile, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if a, b := line(g, i), line(w, i); a != b {
			t.Errorf("%s:%d says\n%s\nbut it is\n%s", tableFile, i+1, b, a)
		}
	}
}

// assemble makes dir/ARCHFILE.cubin of each file, two at a time, and gives what
// the assembler said.
func assemble(t *testing.T, ptxas, dir, arch string, names []string) []string {
	said := make([]string, len(names))
	var wait sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i, file := range names {
		wait.Add(1)
		go func() {
			defer wait.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			in := filepath.Join(dir, arch+file)
			if err := os.WriteFile(in, []byte(Text(file)), 0o666); err != nil {
				t.Error(err)
			}
			b, err := exec.Command(ptxas, "-v", "-warn-spills", "-Werror", "-arch=sm_"+arch, in, "-o", in+".cubin").CombinedOutput()
			if said[i] = string(b); err != nil {
				t.Errorf("%s for sm_%s: %v\n%s", file, arch, err, b)
			}
		}()
	}
	wait.Wait()
	return said
}

var (
	usage       = regexp.MustCompile(`(?s)Compiling entry function '(\w+)'.*?Used (\d+) registers([^\n]*)`)
	sharedBytes = regexp.MustCompile(`\d+ bytes smem`)
	section     = regexp.MustCompile(`(?m)^\.text\.(\w+):`)
)

func line(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}

// count adds the opcodes of each kernel of a listing; local memory is a spill.
func count(listing string, counts map[string]string) {
	at := section.FindAllStringSubmatchIndex(listing, -1)
	for i, m := range at {
		end := len(listing)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		code, s := listing[m[0]:end], ""
		for _, op := range opcodes {
			s += fmt.Sprintf(" %*d", len(op), strings.Count(code, " "+op))
		}
		counts[listing[m[2]:m[3]]] = s[1:]
	}
}

// program is a tool of NVIDIA's, from a variable or the path.
func program(t *testing.T, variable, name string) string {
	p := os.Getenv(variable)
	if p == "" {
		p, _ = exec.LookPath(name)
	}
	switch {
	case p != "":
	case os.Getenv("SECTILE_REQUIRE_PTXAS") != "":
		t.Fatalf("no %s in %s or in the path", name, variable)
	default:
		t.Skipf("no %s in %s or in the path", name, variable)
	}
	return p
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	b, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(name), args, err, b)
	}
	return string(b)
}

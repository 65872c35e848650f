package asm

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	opcodeLine = regexp.MustCompile(`^\s*((?:(?:LONG|WORD|BYTE) \$0x[0-9a-f]+;? ?)+)\s*// (\S.*)$`)
	opcodePart = regexp.MustCompile(`(LONG|WORD|BYTE) \$0x([0-9a-f]+)`)
)

// TestEncodedInstructions assembles the comment of every instruction that
// stands in a .s file as bytes, and compares.
func TestEncodedInstructions(t *testing.T) {
	as, err := exec.LookPath("as")
	if err != nil {
		t.Skip("no GNU assembler here: the bytes of encoded instructions are not checked against their comments")
	}
	files, err := filepath.Glob("*.s")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			m := opcodeLine.FindStringSubmatch(line)
			if m == nil {
				if opcodePart.MatchString(line) {
					t.Errorf("%s:%d: bytes without the instruction behind //", file, i+1)
				}
				continue
			}
			if got, want := encoded(t, m[1]), assembled(t, as, m[2]); !bytes.Equal(got, want) {
				t.Errorf("%s:%d: %s is % x, the line has % x", file, i+1, m[2], want, got)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Error("no encoded instruction was found")
	}
}

// encoded is the bytes of LONG, WORD and BYTE directives.
func encoded(t *testing.T, directives string) []byte {
	var b []byte
	for _, p := range opcodePart.FindAllStringSubmatch(directives, -1) {
		v, err := strconv.ParseUint(p[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{"LONG": 4, "WORD": 2, "BYTE": 1}[p[1]]
		b = append(b, binary.LittleEndian.AppendUint32(nil, uint32(v))[:n]...)
	}
	return b
}

// assembled is what gas makes of one instruction in Intel's operand order.
func assembled(t *testing.T, as, instruction string) []byte {
	object, list := filepath.Join(t.TempDir(), "a.o"), filepath.Join(t.TempDir(), "a.lst")
	cmd := exec.Command(as, "--64", "-o", object, "-aln="+list)
	cmd.Stdin = strings.NewReader(".intel_syntax noprefix\n" + instruction + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as: %s: %v\n%s", instruction, err, out)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	// A line of the listing: number, address, bytes (continued on lines without source).
	var digits strings.Builder
	for _, l := range strings.Split(string(text), "\n") {
		if f := strings.Fields(l); len(f) >= 3 && len(f[1]) == 4 || len(f) == 2 && digits.Len() > 0 {
			digits.WriteString(f[min(2, len(f)-1)])
		}
	}
	var b []byte
	for s := digits.String(); len(s) >= 2; s = s[2:] {
		v, err := strconv.ParseUint(s[:2], 16, 8)
		if err != nil {
			t.Fatalf("listing of %s: %v\n%s", instruction, err, text)
		}
		b = append(b, byte(v))
	}
	return b
}

package ptx

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// assembled is what NVIDIA's assembler made of every entry, by architecture;
// TestAssembles holds the kernels to it and writes it anew.
//
//go:embed assembled.txt
var assembled string

// registerTable is the columns of assembled.txt that are registers: the
// architectures, and each entry's registers for them.
var registerTable = sync.OnceValues(func() (chips []int, registers map[string][]int) {
	registers = map[string][]int{}
	for _, line := range strings.Split(assembled, "\n") {
		if head, ok := strings.CutPrefix(line, "registers for sm_"); ok {
			chips = numbers(strings.Fields(head))
			continue
		}
		if f := strings.Fields(line); len(f) > len(chips) && len(chips) > 0 {
			registers[f[0]] = numbers(f[1:])[:len(chips)]
		}
	}
	return chips, registers
})

// numbers are the fields up to the first that is none.
func numbers(fields []string) (n []int) {
	for _, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil {
			break
		}
		n = append(n, v)
	}
	return n
}

// Registers is how many registers a thread of an entry took when it was
// assembled for the newest listed architecture that is not newer than the given
// compute capability (9.0 is 90); 0 when the entry is not listed.
func Registers(entry string, capability int) int {
	chips, registers := registerTable()
	n := 0
	for i, r := range registers[entry] {
		if chips[i] <= capability {
			n = r
		}
	}
	return n
}

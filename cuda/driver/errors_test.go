package driver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestErrors(t *testing.T) {
	if Fail("cuInit", Success) != nil {
		t.Error("success is an error")
	}
	err := fmt.Errorf("step 3: %w", Fail("cuLaunchKernel gemm_f32", IllegalAddress))
	var e *Error
	if !errors.As(err, &e) || e.Name != "CUDA_ERROR_ILLEGAL_ADDRESS" || !e.Sticky() {
		t.Errorf("%v: %+v", err, e)
	}
	if !IsCode(err, IllegalAddress) || IsCode(err, OutOfMemory) || !errors.Is(err, &Error{Code: IllegalAddress}) {
		t.Errorf("codes of %v", err)
	}
	if s := Fail("cuFoo", 12345).Error(); !strings.Contains(s, "12345") || !strings.Contains(s, "cuFoo") {
		t.Errorf("unknown code: %s", s)
	}
	names := map[string]int{}
	for code, k := range known {
		if !strings.HasPrefix(k.name, "CUDA_ERROR_") {
			t.Errorf("code %d is named %q", code, k.name)
		}
		if o, twice := names[k.name]; twice {
			t.Errorf("%s is %d and %d", k.name, o, code)
		}
		names[k.name] = code
	}
}

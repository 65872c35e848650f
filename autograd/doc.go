// Package autograd differentiates: a Tape records the ops of a step, plans
// their memory and runs them forward and backward.
//
//	tape := autograd.NewTape(backend)
//	for ... {
//		tape.Begin("train")
//		x := tape.Input(autograd.Dims(64, 10), batch)
//		y := autograd.Linear(x, tape.Use(w), tape.Use(b))
//		loss := autograd.CrossEntropy(y, tape.Ints(labels))
//		tape.Backward(loss)
//		if err := tape.Run(); err != nil { ... }
//		fmt.Println(loss.Item())
//	}
//
// Building computes nothing; Run plans the step the first time it sees it and
// replays the plan afterwards, at the same addresses and without allocating.
//
// # Map
//
//	op.go      the Op interface, Apply, and what an op sees (Plan, Ctx)
//	tape.go    recording, matching, running
//	plan.go    lifetimes and places of buffers
//	var.go     values; param.go weights and state; shape.go shapes
//	op_*.go    one file an op (or a family), forward and backward together
//	gradcheck.go  finite differences on the float64 backend
//	trace.go   SECTILE_TRACE
//
// # Glossary
//
//	step     what lies between Begin and Run
//	kind     the name of a step's plan: mode, shapes and phase
//	plan     every buffer's lifetime and place in the arena
//	state    tensors that outlive steps (Param)
//	late op  an op that changes state after backward has read it
//
// Read next: op_matmul.go for the smallest complete op, then plan.go.
package autograd

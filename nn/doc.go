// Package nn is what networks are made of and trained with: modules, ResNets,
// projection heads, optimizers, schedules, checkpoints.
//
//	cfg, err := nn.ResNetByName("resnet18")
//	net := nn.NewResNet(backend, cfg, tensor.NewRNG(seed, "init"))
//	opt := nn.NewOptimizer(backend, nn.SGD{Momentum: 0.9},
//		nn.Group{Weights: nn.Weights(net), Decay: 1e-4, Scale: 1})
//	for step := range steps {
//		tape.Begin("train")
//		p := &nn.Pass{Tape: tape, Train: true}
//		loss := autograd.CrossEntropy(net.Forward(p, images), labels)
//		tape.Backward(loss)
//		if err := tape.Run(); err != nil { ... }
//		opt.Step(tape, float32(schedule.At(step)))
//	}
//
// A steady step allocates nothing of nn's own.
//
// # Map
//
//	pass.go      how modules run: tape, mode, statistics groups
//	module.go    Module, Sequential, lists of weights
//	linear.go, conv2d.go, batchnorm.go   layers; convbn.go: the unit of ResNets
//	syncbn.go    batch statistics over ranks
//	resnet.go    ResNets and the table of their names
//	head.go      projection heads
//	init.go      initial weights
//	optim.go     Optimizer; rule.go: SGD, LARC, LARS, Adam, AdamW
//	ema.go       momentum encoder
//	schedule.go  rates as functions of the step
//	checkpoint.go  runs, to the bit; weights.go: files of weights, with a report
//
// # Glossary
//
//	module  a part of a network: ops it records, tensors it owns
//	state   a module's named tensors: weights (they have a gradient) and
//	        running statistics (they have none)
//	pass    one forward pass of modules; a step may hold several
//	group   of BatchNorm: rows that share statistics; of Optimizer: weights
//	        treated alike; of dist: the ranks of a run
//	rule    how an optimizer moves one weight
//	moment  what a rule remembers of past gradients
//	sweep   one kernel over all weights
//
// Names, order and layout of stored weights are torchvision's.
//
// Read next: convbn.go, then resnet.go; optim.go for training.
package nn

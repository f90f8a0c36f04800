package main

import "blog-deploy-pipeline/lambdas/contract"

// call is what a command needs.
type call struct {
	pipelines []contract.Pipeline
	watch     bool   // of status
	to        string // of rollback
	yes       bool   // of rollback
	terminal
}

package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"blog-deploy-pipeline/rehearse/codebuild"
	"blog-deploy-pipeline/rehearse/rehearsal"
)

// terminationReason returns CodePipeline's sentence about a build that failed.
func terminationReason(status codebuild.Status, phase, code, message string) string {
	return fmt.Sprintf("Build terminated with state: %s. Phase: %s, Code: %s, Message: %s", status, phase, code, message)
}

// deniedInPhase words the denial of a call by CodeBuild as CodePipeline shows it.
func deniedInPhase(phase, code, message string, err error) error {
	denied := (*rehearsal.Failure)(nil)
	if !errors.As(err, &denied) {
		return err
	}
	return &rehearsal.Failure{Code: "JobFailed", Look: denied.Look, Reason: terminationReason(codebuild.Failed, phase, code, message+denied.Reason)}
}

// buildFailure words why a build failed in a phase.
func buildFailure(status codebuild.Status, phase codebuild.PhaseResult, where string) error {
	message, look := phase.Message, "the build's output in phase "+phase.Name+", and "+where
	if phase.Name == codebuild.DownloadSource {
		look = "runtime-versions in " + where + ": name a version that the image has, or a full one, such as 22.12.0, which CodeBuild downloads"
	}
	if c := phase.Command; c != nil {
		text := strings.TrimSpace(c.Text)
		// A script of many lines would hide the sentence around it.
		if strings.Contains(text, "\n") {
			message = strings.Replace(message, text, firstCommand(text)+" …", 1)
		}
		look = fmt.Sprintf("the build's output in phase %s, and %s of %s", phase.Name, c, where)
	}
	return &rehearsal.Failure{Code: "JobFailed", Reason: terminationReason(status, phase.Name, phase.Code, message), Cause: phase.Cause, Look: look}
}

// firstCommand returns the first line of a script that does something.
func firstCommand(script string) string {
	var first string
	var inFunction bool
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		first = cmp.Or(first, line)
		switch {
		case inFunction:
			inFunction = line != "}"
		case strings.Contains(line, "() {"):
			inFunction = !strings.HasSuffix(line, "}")
		case line != "" && line != "(" && line != "{" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "set -"):
			return line
		}
	}
	return first
}

package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"blog-deploy-pipeline/rehearse/amount"
	"blog-deploy-pipeline/rehearse/checkout"
)

// sourceLimit is the size of the largest zip file that CodePipeline accepts from GitHub.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const sourceLimit = 1_000_000_000

// The output variables of a source action that say which commit it has.
const (
	commitID      = "CommitId"
	commitMessage = "CommitMessage"
)

// connectionARN is the key of a connection in an action's configuration.
const connectionARN = "ConnectionArn"

// connection is a source action that reads GitHub by a connection.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
type connection struct{}

func readConnection(i *inspection, what string, a *Action) kind {
	i.oneOutput(what, a)
	return connection{}
}

func (connection) target(configuration map[string]string) string {
	return configuration["FullRepositoryId"] + "@" + configuration["BranchName"]
}

func (connection) run(ctx context.Context, j *job) (outcome, error) {
	arn := j.Configuration[connectionARN]
	if err := j.allow(useConnection(arn), arn); err != nil {
		return outcome{}, err
	}
	var cloneBy string
	if j.Configuration["OutputArtifactFormat"] == "CODEBUILD_CLONE_REF" {
		cloneBy = arn
	}
	done, c, err := j.fetch(ctx, cloneBy)
	done.variables = map[string]string{
		"AuthorDate": c.Date, "AuthorDisplayName": c.Author, "BranchName": j.Configuration["BranchName"], commitID: c.Commit, commitMessage: c.Message,
		connectionARN: arn, "FullRepositoryName": j.Configuration["FullRepositoryId"],
	}
	return done, err
}

// useConnection returns the IAM action that a role needs to use a connection. Connections with an ARN of the older form need
// the older action.
func useConnection(arn string) string {
	if strings.Contains(arn, ":codestar-connections:") {
		return "codestar-connections:UseConnection"
	}
	return "codeconnections:UseConnection"
}

// gitHub is a source action that reads GitHub by a token.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/appendix-github-oauth.html
type gitHub struct{}

func readGitHub(i *inspection, what string, a *Action) kind {
	i.oneOutput(what, a)
	return gitHub{}
}

func (gitHub) target(configuration map[string]string) string {
	return configuration["Owner"] + "/" + configuration["Repo"] + "@" + configuration["Branch"]
}

func (gitHub) run(ctx context.Context, j *job) (outcome, error) {
	done, c, err := j.fetch(ctx, "")
	done.variables = map[string]string{
		"AuthorDate": c.Date, "BranchName": j.Configuration["Branch"], commitID: c.Commit, commitMessage: c.Message,
		"CommitterDate": c.Date, "RepositoryName": j.Configuration["Repo"],
		"CommitUrl": "https://github.com/" + j.Configuration["Owner"] + "/" + j.Configuration["Repo"] + "/commit/" + c.Commit,
	}
	return done, err
}

func (i *inspection) oneOutput(what string, a *Action) {
	if len(a.Outputs) != 1 {
		i.Problem("%s: it has %d output artifacts, want one", what, len(a.Outputs))
	}
}

// fetch makes the source artifact from the owner's checkout: an archive or, if builds clone the repository by a
// connection, a clone.
func (j *job) fetch(ctx context.Context, cloneBy string) (outcome, checkout.Checkout, error) {
	c := j.checkout
	if err := c.Explain(ctx, j.WorkingTree, j.record.Warn); err != nil {
		return outcome{}, c, err
	}
	name := j.Outputs[0]
	out := j.output[name]
	out.commit = c.Commit
	var summary string
	if cloneBy != "" {
		out.zip, out.clone, out.connection = "", filepath.Join(j.dir, "clone-"+name), cloneBy
		stop := j.watch("", "cloning the repository", nil)
		err := c.Clone(ctx, j.WorkingTree, out.clone, j.record.Warn)
		stop()
		if err != nil {
			return outcome{}, c, err
		}
		summary = "a clone"
	} else {
		stop := j.watch("", "packing the source", func() int64 { return sizeOf(out.zip) })
		err := c.Pack(ctx, j.WorkingTree, out.zip, j.record.Warn)
		stop()
		if err != nil {
			return outcome{}, c, err
		}
		if size := sizeOf(out.zip); size > sourceLimit {
			j.record.Warn("the source is a zip file of %s, and CodePipeline accepts at most 1 GB from GitHub; with FullClone the build clones the repository instead", amount.Size(size))
		}
		files, size, err := measure(out.zip)
		if err != nil {
			return outcome{}, c, err
		}
		summary = fmt.Sprintf("%s, %s", amount.Count(files, "file"), amount.Size(size))
	}
	if err := j.allow("s3:PutObject", out.arn); err != nil {
		return outcome{}, c, err
	}
	if c.Commit != "" && !j.WorkingTree {
		subject, _, _ := strings.Cut(c.Message, "\n")
		summary += fmt.Sprintf(", commit %.7s: %s", c.Commit, subject)
	} else {
		summary += ", as on disk"
	}
	return outcome{summary: summary, artifacts: map[string]artifact{name: out}}, c, nil
}

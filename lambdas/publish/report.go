package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"blog-deploy-pipeline/lambdas/internal/failure"
	"blog-deploy-pipeline/lambdas/internal/pipelinejob"
	"blog-deploy-pipeline/lambdas/internal/publication"
)

// waiting returns the report of a job that another publication keeps waiting.
func waiting(p progress) pipelinejob.Report {
	return pipelinejob.Report{Summary: "Waiting for another publication of this blog.", ContinuationToken: p.encode()}
}

// continued returns the report of a publication for which the time of one call is not
// enough.
func continued(p progress, result publication.Result) pipelinejob.Report {
	return pipelinejob.Report{
		Summary:           fmt.Sprintf("Publishing release %s: %d put (%s) so far.", result.Release, result.Put, size(result.Bytes)),
		ContinuationToken: p.encode(),
		ExternalID:        result.Release,
	}
}

// published returns the report of a release that is committed.
func published(result publication.Result) pipelinejob.Report {
	what := "Nothing has changed since release "
	var counts []string
	if result.IsNew {
		what = "Published release "
		if result.Restores != "" {
			what = "Published release " + result.Restores + " again, as "
		}
		counts = append(counts, fmt.Sprintf("%d put (%s)", result.Put, size(result.Bytes)))
	}
	counts = append(counts, fmt.Sprintf("%d unchanged", result.Unchanged))
	if result.Removed > 0 {
		counts = append(counts, fmt.Sprintf("%d removed", result.Removed))
	}
	if result.Retired > 0 {
		counts = append(counts, fmt.Sprintf("%d to be removed later", result.Retired))
	}
	sentences := []string{what + result.Release + ": " + strings.Join(counts, ", ") + "."}
	sentences = append(sentences, result.Notes...)
	if n := len(result.Foreign); n > 0 {
		sentences = append(sentences, fmt.Sprintf("The bucket has %d more, which this pipeline has not put and does not remove; the function's log names the first ones.", n))
	}
	return pipelinejob.Report{
		Summary: strings.Join(sentences, " "),
		Variables: map[string]string{
			"Release":   result.Release,
			"Put":       strconv.Itoa(result.Put),
			"Unchanged": strconv.Itoa(result.Unchanged),
			"Removed":   strconv.Itoa(result.Removed),
			"Retired":   strconv.Itoa(result.Retired),
			"Bytes":     strconv.FormatInt(result.Bytes, 10),
		},
		ExternalID: result.Release,
	}
}

// failed returns the report of a publication that has failed.
func failed(err error) pipelinejob.Report {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok {
		f = &failure.Failure{Kind: failure.Other, Message: fmt.Sprintf("%v; %s", err, pipelinejob.Again)}
	}
	return pipelinejob.Failed(f)
}

// size returns a number of bytes for a person.
func size(bytes int64) string {
	value, unit := float64(bytes), "bytes"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, larger
	}
	if unit == "bytes" {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/lambdas/internal/invalidation"
)

// hook has what the protocols of both callers share.
type hook struct {
	cloudFront invalidation.CloudFront
	settings   settings
	// misconfigured lists the problems of the function's environment. The function
	// reports them, because a function that does not start leaves a deployment waiting, or
	// rolls it back.
	misconfigured error
}

// ending says how a run of the hook ended.
type ending struct {
	message string
	result  invalidation.Result
}

// refused returns the ending of a run that could not clear anything.
func refused(message string) ending {
	return ending{message: message + "; then deploy the service again, or clear its distributions by hand", result: invalidation.Result{Failed: true}}
}

// ready returns an error if the function can do nothing at all.
func (h *hook) ready() error {
	if h.misconfigured != nil {
		return fmt.Errorf("%w; deploy the service's stack again", h.misconfigured)
	}
	return nil
}

// verdict is the consequence of a hook's end for the deployment.
type verdict struct {
	passes bool
	// consequence explains it in the log, if the hook failed.
	consequence string
}

// judge applies the owner's choice. A deployment that is rolling back cannot roll back
// once more; a failure would leave it in between.
func (h *hook) judge(end ending, rollingBack bool) verdict {
	choice := fmt.Sprintf("The service's Hook.OnFailure is %s, so ", h.settings.onFailure)
	switch {
	case !end.result.Failed:
		return verdict{passes: true}
	case rollingBack:
		return verdict{true, "The deployment is rolling back already, so it goes on, and readers may see pages of the release that is undone. "}
	case h.settings.onFailure == contract.OnFailureFail:
		return verdict{false, choice + "the deployment fails. "}
	default:
		return verdict{true, choice + "the release stands, and readers may see old pages. "}
	}
}

// logEnd logs how the hook ended and what its caller was told, with the metrics.
func (h *hook) logEnd(log *slog.Logger, end ending, v verdict, told string) {
	log = log.With(invalidation.Metrics(contract.DimensionService, h.settings.service, end.result))
	if end.result.Failed {
		log.Error("failed", "told", told, "message", v.consequence+end.message)
		return
	}
	log.Info("ended", "told", told, "message", end.message)
}

// fingerprint returns a short name for its parts.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256(mustMarshal(parts))
	return hex.EncodeToString(sum[:16])
}

// mustMarshal encodes what always encodes: strings, numbers and what was decoded from
// JSON.
func mustMarshal(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

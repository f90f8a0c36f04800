package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// hookStatus is what ECS may be answered.
type hookStatus string

const (
	succeeded  hookStatus = "SUCCEEDED"
	failedHook hookStatus = "FAILED"
	inProgress hookStatus = "IN_PROGRESS"
)

// hookAnswer is what ECS reads of the function's answer. What belongs to a hook
// that goes on is left out of the last one.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
type hookAnswer struct {
	Status hookStatus `json:"hookStatus"`
	// CallBackDelay is in seconds; ECS waits for 30 where there is none.
	CallBackDelay int `json:"callBackDelay,omitempty"`
	// Details are handed back with the next call.
	Details json.RawMessage `json:"hookDetails,omitempty"`
}

// runForECS works for a while, and answers whether ECS shall call again. It never
// fails: ECS takes an error for a crash, and rolls back.
func (h *handler) runForECS(ctx context.Context, log *slog.Logger, f firing) []byte {
	log = f.log(log)
	answer := invocation.Guard(func() *slog.Logger { return log },
		func() hookAnswer { return h.clearOn(ctx, log, f) },
		func(message string) hookAnswer { return h.last(log, f, refused(message)) })
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err) // strings, a number and what was decoded from JSON always encode
	}
	return text
}

// clearOn takes the clearings on from where the calls before left them.
func (h *handler) clearOn(ctx context.Context, log *slog.Logger, f firing) hookAnswer {
	err := h.ready()
	if err == nil {
		err = f.malformed
	}
	if err != nil {
		return h.last(log, f, refused(err.Error()))
	}
	all, err := h.resume(log, f)
	if err != nil {
		return h.last(log, f, refused(err.Error()))
	}
	h.advanceAll(ctx, log, h.settings.invalidation, all)
	end, ended := summarise(all)
	if ended {
		return h.last(log, f, end)
	}
	delay := callBackDelay(all, time.Now())
	log.Info("continues", "callBackDelay", delay)
	return hookAnswer{Status: inProgress, CallBackDelay: delay, Details: encodeDetails(f, all)}
}

// last is the answer of a hook that has come to its end.
func (h *handler) last(log *slog.Logger, f firing, end ending) hookAnswer {
	verdict := h.judge(end, f.wayBack)
	answer := hookAnswer{Status: succeeded}
	if !verdict.passes {
		answer.Status = failedHook
	}
	h.logEnd(log, end, verdict, string(answer.Status))
	return answer
}

// maxCallBackDelay is short, because each call waits by itself for as long as most
// invalidations take. One that goes on after that is noticed at once when it is
// done, and not after ECS's own 30 seconds.
const maxCallBackDelay = 5 * time.Second

// callBackDelay is in whole seconds: until the deadline, where that comes first.
func callBackDelay(all []clearing, now time.Time) int {
	delay := maxCallBackDelay
	for _, c := range all {
		if c.state == pending {
			delay = min(delay, c.progress.Deadline.Sub(now))
		}
	}
	// At the deadline or after it, but not before.
	return max(1, int((delay+time.Second-1)/time.Second))
}

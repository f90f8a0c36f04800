package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"blog-deploy-pipeline/lambdas/internal/invocation"
)

// hookStatus is an answer that ECS accepts.
type hookStatus string

const (
	hookSucceeded  hookStatus = "SUCCEEDED"
	hookFailed     hookStatus = "FAILED"
	hookInProgress hookStatus = "IN_PROGRESS"
)

// hookAnswer has the fields of the function's answer that ECS reads. CallBackDelay and
// Details are only for a hook that is in progress.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
type hookAnswer struct {
	Status hookStatus `json:"hookStatus"`
	// CallBackDelay is in seconds. ECS waits for 30 seconds without it.
	CallBackDelay int `json:"callBackDelay,omitempty"`
	// Details come back with the next call.
	Details json.RawMessage `json:"hookDetails,omitempty"`
}

// runForECS works for a while, and answers whether ECS has to call again. It never fails,
// because ECS treats an error as a crash, and rolls back.
func (h *hook) runForECS(ctx context.Context, log *slog.Logger, e ecsEvent) []byte {
	log = e.log(log)
	return mustMarshal(invocation.Guard(func() *slog.Logger { return log },
		func() hookAnswer { return h.clearInSeveralCalls(ctx, log, e) },
		func(message string) hookAnswer { return h.lastAnswer(log, e, refused(message)) }))
}

// clearInSeveralCalls continues the clearings of the previous calls.
func (h *hook) clearInSeveralCalls(ctx context.Context, log *slog.Logger, e ecsEvent) hookAnswer {
	err := h.ready()
	if err == nil {
		err = e.malformed
	}
	if err != nil {
		return h.lastAnswer(log, e, refused(err.Error()))
	}
	all, err := h.resume(log, e)
	if err != nil {
		return h.lastAnswer(log, e, refused(err.Error()))
	}
	h.advanceAll(ctx, log, h.settings.invalidation, all)
	if end, ended := summarise(all); ended {
		return h.lastAnswer(log, e, end)
	}
	delay := callBackDelay(all, time.Now())
	log.Info("continues", "callBackDelay", delay)
	return hookAnswer{Status: hookInProgress, CallBackDelay: delay, Details: encodeDetails(e, all)}
}

// lastAnswer returns the answer of a hook that has ended.
func (h *hook) lastAnswer(log *slog.Logger, e ecsEvent, end ending) hookAnswer {
	verdict := h.judge(end, e.rollingBack)
	answer := hookAnswer{Status: hookSucceeded}
	if !verdict.passes {
		answer.Status = hookFailed
	}
	h.logEnd(log, end, verdict, string(answer.Status))
	return answer
}

// maxCallBackDelay is short, because each call polls for longer than most invalidations
// need. The next call then notices the end of a slow one sooner than after ECS's own 30
// seconds.
const maxCallBackDelay = 5 * time.Second

// callBackDelay returns the whole seconds until the next call, which should not come
// later than at the first deadline.
func callBackDelay(all []clearing, now time.Time) int {
	delay := maxCallBackDelay
	for _, c := range all {
		if c.state == pending {
			delay = min(delay, c.progress.Deadline.Sub(now))
		}
	}
	// Rounded up, so that the call does not come before the deadline.
	return max(1, int((delay+time.Second-1)/time.Second))
}

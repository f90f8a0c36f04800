// Package invocation is what every invocation of a function owes to whoever waits
// for it, whatever it is about: an answer that goes out before Lambda stops the
// function, an answer even after a panic, and no credential in any of it.
package invocation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/lambda"

	"blog-deploy-pipeline/lambdas/internal/redact"
)

// maxValue is how much of a value is logged, in characters: enough for a panic's stack. A
// line of 1 MB is no JSON any more in CloudWatch, which takes no more in one piece.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxValue = 16 << 10

// Log returns a function's log: JSON, a line for each record, without credentials. It
// also takes what the log package prints, such as the errors that aws-lambda-go hands to
// Lambda.
func Log(to io.Writer) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(redact.Writer(to), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(redact.Cut(a.Value.String(), maxValue))
		}
		return a
	}}))
	slog.SetLogLoggerLevel(slog.LevelError) // aws-lambda-go prints nothing else
	slog.SetDefault(log)
	return log
}

// Redacted returns a handler whose answers and errors hold no credentials, and which
// makes an error of a panic: Lambda logs errors, and hands them on, by itself.
func Redacted(log *slog.Logger, handler lambda.Handler) lambda.Handler {
	return redacted{log, handler}
}

type redacted struct {
	log     *slog.Logger
	handler lambda.Handler
}

// Invoke implements lambda.Handler.
func (r redacted) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var answer []byte
	err := Guard(func() *slog.Logger { return r.log },
		func() (err error) { answer, err = r.handler.Invoke(ctx, event); return err },
		func(message string) error { return errors.New(message) })
	if err != nil {
		return nil, failure(printable(redact.Text(err.Error())))
	}
	return []byte(redact.Text(string(answer))), nil
}

// failure is an error that is nothing but its text.
type failure string

func (f failure) Error() string { return string(f) }

// printable replaces control characters by spaces. aws-lambda-go sends errors in a header,
// too, where a DEL would keep it from sending them at all, and end the process.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// maxReportTime is enough for a report with a few retries.
const maxReportTime = 15 * time.Second

// Split divides the time until Lambda stops the function: the last quarter, at
// most 15 seconds, is for the report. The second context does not end with the
// first, and ends a little before Lambda's patience, so that a report that cannot
// be sent is still logged.
func Split(ctx context.Context, now time.Time) (working, reporting context.Context, cancel func()) {
	deadline, limited := ctx.Deadline()
	if !limited { // not under Lambda
		deadline = now.Add(time.Minute)
	}
	keep := min(deadline.Sub(now)/4, maxReportTime)
	working, cancelWorking := context.WithDeadline(ctx, deadline.Add(-keep))
	reporting, cancelReporting := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(-keep/10))
	return working, reporting, func() { cancelWorking(); cancelReporting() }
}

// ErrReportedBefore is no failure: the event came twice, or an earlier attempt to
// report arrived and the answer to it did not.
var ErrReportedBefore = errors.New("there is a report already")

// Reported logs how an attempt to report went. It returns whether what was reported
// counts, and an error where nobody has heard: Lambda then delivers the event once
// more. A second report does not count, unless it is of a failure: whether the first
// one was counted cannot be told, and an alarm that hears of a failure twice is better
// than one that never does.
func Reported(log *slog.Logger, failed bool, err error) (counts bool, _ error) {
	switch {
	case errors.Is(err, ErrReportedBefore):
		log.Info("reported before; this delivery changes nothing")
		return failed, nil
	case err != nil:
		log.Error("report not sent", "error", err.Error())
		return false, err
	}
	return true, nil
}

// maxCause is how much of a panic's cause is told to the owner, in characters.
const maxCause = 500

// Guard returns what work returns. If work panics, Guard logs the cause and the
// stack, to the logger that log returns at that moment, and returns what panicked
// makes of a message for the owner.
func Guard[Result any](log func() *slog.Logger, work func() Result, panicked func(message string) Result) (result Result) {
	defer func() {
		if cause := recover(); cause != nil {
			log().Error("panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			result = panicked(fmt.Sprintf("the function panicked: %s. Its log has the stack", redact.Line(fmt.Sprint(cause), maxCause)))
		}
	}()
	return work()
}

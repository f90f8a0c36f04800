package edgefunction

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

const (
	// patience ends a function that does not come to an end. CloudFront's own limit is about a
	// millisecond of computing; this is in time that passes, on a machine with other work.
	patience = 10 * time.Second
	maxStack = 1000 // CloudFront has 2 MB for everything.
)

// run runs the handler in a runtime of its own and returns what it returned, as encoding/json has it.
func (f *Function) run(ev *event) (_ any, err error) {
	vm := goja.New()
	vm.SetMaxCallStackSize(maxStack)
	start := time.Now() // Time stands still while a function runs.
	vm.SetTimeSource(func() time.Time { return start })
	console := vm.NewObject()
	_ = console.Set("log", func(goja.FunctionCall) goja.Value { return goja.Undefined() })
	_ = vm.Set("console", console)
	_ = vm.Set("require", func(module string) (goja.Value, error) {
		return nil, fmt.Errorf("require(%q) is not rehearsed", module)
	})
	if _, err := vm.RunProgram(f.lockdown); err != nil {
		return nil, err
	}
	argument, err := ev.value(vm)
	if err != nil {
		return nil, err
	}
	stringify := method(vm, "stringify")

	timer := time.AfterFunc(patience, func() { vm.Interrupt(fmt.Sprintf("it has not come to an end after %v", patience)) })
	defer timer.Stop()
	value, err := vm.RunProgram(f.program)
	if err != nil {
		return nil, err
	}
	handler, found := goja.AssertFunction(value)
	if !found {
		return nil, errNoHandler
	}
	result, err := handler(goja.Undefined(), argument)
	if err != nil {
		return nil, err
	}
	if promise, async := result.Export().(*goja.Promise); async {
		// All that it could await is done when the handler returns: there are no timers and no network.
		switch promise.State() {
		case goja.PromiseStatePending:
			return nil, errors.New("its promise is never settled")
		case goja.PromiseStateRejected:
			return nil, errors.New(promise.Result().String())
		}
		result = promise.Result()
	}
	text, err := stringify(goja.Undefined(), result)
	if err != nil {
		return nil, err
	}
	if goja.IsUndefined(text) {
		return nil, nil
	}
	var object any
	err = json.Unmarshal([]byte(text.String()), &object)
	return object, err
}

// method returns a method of JSON as it is before the function's code runs.
func method(vm *goja.Runtime, name string) goja.Callable {
	callable, _ := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get(name))
	return callable
}

// value makes the event in the runtime. As JSON, so that the function gets objects like any other.
func (ev *event) value(vm *goja.Runtime) (goja.Value, error) {
	text, err := json.Marshal(ev)
	if err != nil {
		return nil, err
	}
	value, err := method(vm, "parse")(goja.Undefined(), vm.ToValue(string(text)))
	if err != nil {
		return nil, err
	}
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/general-helper-methods.html
	query := goja.Undefined()
	if ev.hasQuery {
		query = vm.ToValue(ev.rawQuery)
	}
	request := value.ToObject(vm).Get("request").ToObject(vm)
	err = request.DefineDataProperty("rawQueryString", vm.ToValue(func(goja.FunctionCall) goja.Value { return query }),
		goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return value, err
}

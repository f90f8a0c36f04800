package edgefunction

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/dop251/goja"
)

// maxStack limits the depth of calls. CloudFront limits only the memory, to 2 MB.
const maxStack = 1000

// run runs the handler in a new runtime. It returns the handler's result with the types of encoding/json.
func (f *Function) run(ev *event) (any, error) {
	vm := goja.New()
	vm.SetMaxCallStackSize(maxStack)
	start := time.Now() // At CloudFront the time does not change while a function runs.
	vm.SetTimeSource(func() time.Time { return start })
	console := vm.NewObject()
	_ = console.Set("log", func(goja.FunctionCall) goja.Value { return goja.Undefined() })
	_ = vm.Set("console", console)
	_ = vm.Set("require", func(module string) (goja.Value, error) {
		return nil, fmt.Errorf("the rehearsal does not support require(%q)", module)
	})
	if _, err := vm.RunProgram(f.lockdown); err != nil {
		return nil, err
	}
	argument, err := ev.value(vm)
	if err != nil {
		return nil, err
	}
	// The function's code could replace these methods, so they are read before it runs.
	stringify, toString := method(vm, "JSON", "stringify"), method(vm, "globalThis", "String")

	timer := time.AfterFunc(f.patience, func() { vm.Interrupt(fmt.Sprintf("it still runs after %v", f.patience)) })
	defer timer.Stop()
	value, err := vm.RunProgram(f.program)
	if err != nil {
		return nil, err
	}
	handler, found := goja.AssertFunction(value)
	if !found {
		return nil, errors.New("it has no function named handler")
	}
	result, err := handler(goja.Undefined(), argument)
	if overflow := new(goja.StackOverflowError); errors.As(err, &overflow) {
		return nil, fmt.Errorf("its calls are nested deeper than %d:%w", maxStack, err) // The text of err begins with a space.
	}
	if err != nil {
		return nil, err
	}
	if result.ExportType() == reflect.TypeFor[*goja.Promise]() {
		// Without timers and network every promise is settled when the handler returns, or never.
		promise := result.Export().(*goja.Promise)
		result = promise.Result()
		switch promise.State() {
		case goja.PromiseStatePending:
			return nil, errors.New("its promise is never settled")
		case goja.PromiseStateRejected:
			reason, err := toString(goja.Undefined(), result)
			if err != nil {
				return nil, err
			}
			return nil, errors.New(reason.String())
		}
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

// method returns a method of an object in the runtime.
func method(vm *goja.Runtime, object, name string) goja.Callable {
	callable, _ := goja.AssertFunction(vm.Get(object).ToObject(vm).Get(name))
	return callable
}

// value returns the event as an object of the runtime. It uses JSON, so that the function gets ordinary objects.
func (ev *event) value(vm *goja.Runtime) (goja.Value, error) {
	text, err := json.Marshal(ev)
	if err != nil {
		return nil, err
	}
	value, err := method(vm, "JSON", "parse")(goja.Undefined(), vm.ToValue(string(text)))
	if err != nil {
		return nil, err
	}
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/general-helper-methods.html
	query := goja.Undefined()
	if ev.hasQuery {
		query = vm.ToValue(toUTF8(ev.query))
	}
	request := value.ToObject(vm).Get("request").ToObject(vm)
	err = request.DefineDataProperty("rawQueryString", vm.ToValue(func(goja.FunctionCall) goja.Value { return query }),
		goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return value, err
}

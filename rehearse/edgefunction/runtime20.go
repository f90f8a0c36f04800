package edgefunction

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// runtime20 is the address of AWS's list of the features that functions may use.
const runtime20 = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html"

// supported lists the names that both runtime 2.0 and the engine here have. They come from AWS's list and from ES 5.1,
// which the list refers to. Other objects remain unchanged.
var supported = []struct{ object, names string }{
	{"globalThis", `globalThis NaN Infinity undefined console require
		decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN parseFloat parseInt
		Object Function Boolean String Number Math Date RegExp JSON Array Symbol Promise
		Error EvalError RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer DataView
		Float32Array Float64Array Int8Array Int16Array Int32Array Uint8Array Uint8ClampedArray Uint16Array Uint32Array`},
	{"Object", `assign create defineProperties defineProperty entries freeze getOwnPropertyDescriptor
		getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf is isExtensible isFrozen isSealed keys
		preventExtensions seal setPrototypeOf values`},
	{"Object.prototype", `hasOwnProperty isPrototypeOf propertyIsEnumerable`},
	{"Function.prototype", `apply bind call`},
	{"String", `fromCharCode fromCodePoint`},
	{"String.prototype", `charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf localeCompare match
		padEnd padStart repeat replace replaceAll search slice split startsWith substr substring
		toLocaleLowerCase toLocaleUpperCase toLowerCase toUpperCase trim trimEnd trimStart`},
	{"Array", `isArray of`},
	{"Array.prototype", `concat copyWithin every fill filter find findIndex forEach includes indexOf join lastIndexOf map
		pop push reduce reduceRight reverse shift slice some sort splice unshift`},
	{"RegExp.prototype", `exec flags global ignoreCase multiline source sticky test`},
	{"Promise", `all allSettled any race reject resolve`},
	{"Promise.prototype", `catch finally then`},
}

// unsupported returns the other names of the engine by their objects.
var unsupported = sync.OnceValue(func() map[string][]string {
	vm := goja.New()
	besides := make(map[string][]string)
	for _, s := range supported {
		keep := append(strings.Fields(s.names), "constructor", "prototype", "length", "name", "toString", "toLocaleString", "valueOf")
		var names []string
		value, err := vm.RunString("Object.getOwnPropertyNames(" + s.object + ")")
		if err == nil {
			err = vm.ExportTo(value, &names)
		}
		if err != nil {
			panic(err) // The table above is wrong.
		}
		besides[s.object] = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(keep, name) })
	}
	return besides
})

// lockdown returns a program that deletes the unsupported names before a function runs, so that a function that works here
// also works at CloudFront. It deletes only names that occur in the function's code, because each deletion takes one or
// two microseconds in each run.
func lockdown(code string) (*goja.Program, error) {
	var program strings.Builder
	for object, names := range unsupported() {
		for _, name := range names {
			if strings.Contains(code, name) {
				fmt.Fprintf(&program, "delete %s[%q];\n", object, name)
			}
		}
	}
	// AWS's list says: "Dynamic code evaluation is not supported".
	program.WriteString(`(function () {
		const refuse = function () { throw new TypeError('Function constructors are not supported'); };
		refuse.prototype = Function.prototype;
		Function.prototype.constructor = globalThis.Function = refuse;
	})();`)
	return goja.Compile("lockdown.js", program.String(), true)
}

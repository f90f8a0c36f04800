package edgefunction

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// runtime20 lists what functions may use.
const runtime20 = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html"

// supported is what runtime 2.0 has by that list, and by ES 5.1, which the list says it complies with, of
// what the engine here has. Objects that are not named are left as they are.
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

// unsupported are the names, by their objects, that the engine has besides.
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
			panic(err) // The table above is wrong, whatever the function.
		}
		besides[s.object] = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(keep, name) })
	}
	return besides
})

// lockdown takes away what is unsupported, before a function runs, so that what works here works at
// CloudFront. To take a name away costs a microsecond or two, each time: only those that the function's
// code mentions are.
func lockdown(code string) (*goja.Program, error) {
	var program strings.Builder
	for object, names := range unsupported() {
		for _, name := range names {
			if strings.Contains(code, name) {
				fmt.Fprintf(&program, "delete %s[%q];\n", object, name)
			}
		}
	}
	// "Dynamic code evaluation is not supported", says the same page.
	program.WriteString(`(function () {
		const refuse = function () { throw new TypeError('Function constructors are not supported'); };
		refuse.prototype = Function.prototype;
		Function.prototype.constructor = globalThis.Function = refuse;
	})();`)
	return goja.Compile("lockdown.js", program.String(), true)
}

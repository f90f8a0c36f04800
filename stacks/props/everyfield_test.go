package props_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// Validate reports a token in any field, and never repeats it.
func TestNoFieldTakesAToken(t *testing.T) {
	const token = "ghp_0123456789abcdef0123456789abcdef0123"
	seen := 0
	for _, given := range blogsAndServices() {
		eachText(given, token, func(field string, changed any) {
			seen++
			err := changed.(interface{ Validate() error }).Validate()
			if err == nil || !strings.Contains(err.Error(), "revoke it") {
				t.Errorf("%T's %s accepts a token: %v", given, field, err)
			} else if strings.Contains(err.Error(), token[:10]) {
				t.Errorf("%T's %s: the error shows the token: %v", given, field, err)
			} else if n := strings.Count(err.Error(), "revoke it"); n > 1 {
				t.Errorf("%T's %s is reported %d times: %v", given, field, n, err)
			}
		})
	}
	if seen < 150 {
		t.Errorf("only %d fields were tried", seen)
	}
}

// Validate never repeats the password in an address, whatever the field is for.
func TestNoMessageShowsAPassword(t *testing.T) {
	refused := 0
	for _, given := range blogsAndServices() {
		eachText(given, "https://me:open-sesame@example.net/x", func(field string, changed any) {
			err := changed.(interface{ Validate() error }).Validate()
			if err == nil {
				return // a build's variable may have any text
			}
			refused++
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("%T's %s: the error shows the password: %v", given, field, err)
			}
		})
	}
	if refused < 150 {
		t.Errorf("only %d fields refused the address", refused)
	}
}

// blogsAndServices returns fixtures that together set all fields.
func blogsAndServices() (all []any) {
	blogs := []props.Blog{fixtures.Modern, fixtures.Classic, fixtures.Full, fixtures.Webhook, fixtures.Complete, fixtures.Tokyo}
	services := []props.Service{fixtures.Shop, fixtures.Checkout, fixtures.News, fixtures.API, fixtures.Store, fixtures.Docs, fixtures.Search, fixtures.Cheap, fixtures.Inner, fixtures.Shared}
	for _, b := range blogs {
		all = append(all, b)
	}
	for _, s := range services {
		all = append(all, s)
	}
	return all
}

// Validate does not panic, whatever values one or several fields have.
func TestValidateNeverPanics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, given := range []any{fixtures.Modern, fixtures.Classic, fixtures.Full, fixtures.Webhook, fixtures.Complete, fixtures.Tokyo, props.Blog{}, fixtures.Shop, fixtures.Checkout, fixtures.News, props.ExistingService{}, fixtures.API, fixtures.Store, fixtures.Docs, fixtures.Search, fixtures.Cheap, fixtures.Inner, fixtures.Shared, props.FargateService{}} {
		values := 0
		copyOf(reflect.ValueOf(given), func(reflect.Value) { values++ })
		// First each field alone, and then a quarter of the fields at once.
		for n := range 2 * values {
			var changed []reflect.Value
			at := -1
			odd := copyOf(reflect.ValueOf(given), func(v reflect.Value) {
				if at++; at == n || n >= values && random.IntN(4) == 0 {
					makeOdd(v, random)
					changed = append(changed, v)
				}
			}).Interface()
			func() {
				defer func() {
					if cause := recover(); cause != nil {
						t.Fatalf("%T with %.2000q: panic: %v", given, fmt.Sprint(changed), cause)
					}
				}()
				switch odd := odd.(type) {
				case props.Blog:
					_ = props.Validate([]props.Blog{odd, fixtures.Modern}, []props.Service{nil, (*props.FargateService)(nil)})
				case props.Service:
					_ = props.Validate(nil, []props.Service{odd, fixtures.API})
				}
			}()
		}
	}
}

// oddTexts lists texts that have a meaning of their own somewhere.
var oddTexts = []string{
	"", " ", "\x00", "\xff\xfe", "\n", "a\nb", "/", "//", ".", "..", "*", "**", "\\", "[", "{", "}", "!", "@", "#", "#{", "${Token[TOKEN.1]}", "{{resolve:ssm:x}}", "=", ",", `"`, "%", "%zz",
	":", ":::::", "::::::::::", "arn:", "arn:aws:s3:::", "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf:::", "-", "日本語", "https://", "s3://", "a@", "@b", "<>", "refs/heads/",
	// These exceed the limits of single fields by little: patterns are slow with longer ones.
	strings.Repeat("x", 1800), strings.Repeat("/", 1800), strings.Repeat("a.", 900), strings.Repeat("{", 1800), strings.Repeat("é", 900),
}

// makeOdd changes a value into an unusual one.
func makeOdd(v reflect.Value, random *rand.Rand) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(oddTexts[random.IntN(len(oddTexts))])
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{-1, 0, 1, math.MaxInt32, math.MaxInt64, math.MinInt64}[random.IntN(6)])
	case reflect.Interface:
		switch v.Interface().(type) {
		case props.Source:
			v.Set(reflect.ValueOf([]props.Source{(*props.GitHubConnection)(nil), &props.GitHubToken{}, props.GitHubToken{}}[random.IntN(3)]))
		case props.VPC:
			v.Set(reflect.ValueOf([]props.VPC{(*props.NewVPC)(nil), &props.ExistingVPC{}, props.ExistingVPC{}}[random.IntN(3)]))
		case props.Deployer:
			v.Set(reflect.ValueOf([]props.Deployer{(*props.ECSService)(nil), &props.CodeDeployGroup{}, props.ECSService{}}[random.IntN(3)]))
		}
	case reflect.Slice:
		if v.Len() == 0 || random.IntN(2) == 0 {
			v.SetZero()
			return
		}
		for range 200 {
			v.Set(reflect.Append(v, v.Index(0)))
		}
	case reflect.Pointer, reflect.Map:
		v.SetZero()
	}
}

// eachText calls then with copies of props in which one text is replaced.
func eachText(given any, by string, then func(field string, changed any)) {
	var fields []string
	props.EachString(reflect.ValueOf(given), "", func(field, _ string) { fields = append(fields, field) })
	for i, field := range fields {
		n := -1
		then(field, copyOf(reflect.ValueOf(given), func(v reflect.Value) {
			if v.Kind() != reflect.String {
				return
			}
			if n++; n == i {
				v.SetString(by)
			}
		}).Interface())
	}
}

// copyOf returns a deep copy. It calls change for each value in it: for inner values before outer ones,
// and for texts in the order of EachString.
func copyOf(v reflect.Value, change func(reflect.Value)) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(copyOf(v.Elem(), change))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(copyOf(v.Elem(), change))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(copyOf(v.Field(i), change))
		}
		return out
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			out.Index(i).Set(copyOf(v.Index(i), change))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(v.Type()))
		}
		for _, name := range slices.Sorted(maps.Keys(v.Interface().(map[string]string))) {
			key := reflect.ValueOf(name)
			out.SetMapIndex(copyOf(key, change), copyOf(v.MapIndex(key), change))
		}
	}
	change(out)
	return out
}

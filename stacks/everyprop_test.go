package stacks

import (
	"reflect"
	"slices"
	"testing"

	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

// kinds lists the types that implement an interface.
var kinds = map[reflect.Type][]reflect.Type{
	reflect.TypeFor[props.Source]():   {reflect.TypeFor[props.GitHubConnection](), reflect.TypeFor[props.GitHubToken]()},
	reflect.TypeFor[props.VPC]():      {reflect.TypeFor[props.NewVPC](), reflect.TypeFor[props.ExistingVPC]()},
	reflect.TypeFor[props.Deployer](): {reflect.TypeFor[props.CodeDeployGroup](), reflect.TypeFor[props.ECSService]()},
}

// propsOf returns the props of a struct, and of the structs in it, as "Type.Field".
func propsOf(t *testing.T, of reflect.Type) []string {
	t.Helper()
	var given []string
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for field := range of.Fields() {
			if field.Type.Kind() != reflect.Struct { // that one is changed by its fields
				given = append(given, of.Name()+"."+field.Name)
			}
			if field.Type.Kind() == reflect.Interface {
				if kinds[field.Type] == nil {
					t.Errorf("%s.%s: name the types that stand for %s in kinds", of.Name(), field.Name, field.Type)
				}
				for _, kind := range kinds[field.Type] {
					walk(kind)
				}
			}
			walk(field.Type)
		}
	}
	walk(of)
	slices.Sort(given)
	return slices.Compact(given)
}

// TestChangesNameEveryProp checks that the tables of changes have a row for each prop.
func TestChangesNameEveryProp(t *testing.T) {
	named := func(t *testing.T, of reflect.Type, rows []string) {
		t.Helper()
		given := propsOf(t, of)
		for _, prop := range given {
			if !slices.Contains(rows, prop) {
				t.Errorf("%s has the prop %s, and no row changes it: add one to changesofservices_test.go or changesofblogs_test.go, with what the change does to an existing stack", of.Name(), prop)
			}
		}
		for _, row := range rows {
			if !slices.Contains(given, row) {
				t.Errorf("a row changes %s, which %s does not have", row, of.Name())
			}
		}
	}
	named(t, reflect.TypeFor[props.FargateService](), names(serviceChanges))
	named(t, reflect.TypeFor[props.ExistingService](), names(existingChanges))
	named(t, reflect.TypeFor[props.Blog](), names(blogChanges))

	// A new kind of network or source has props, too.
	methods := methodsByType(t)
	for kind, known := range kinds {
		var want []string
		for method := range kind.Methods() {
			want = append(want, method.Name)
		}
		for name, has := range methods {
			if !slices.ContainsFunc(want, func(method string) bool { return !slices.Contains(has, method) }) &&
				!slices.ContainsFunc(known, func(k reflect.Type) bool { return k.Name() == name }) {
				t.Errorf("%s stands for %s: name it in kinds", name, kind)
			}
		}
	}
}

func names[T any](changes []change[T]) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.prop)
	}
	return all
}

// TestFixturesSetEveryProp keeps the golden templates complete: a new prop needs a fixture that sets it.
func TestFixturesSetEveryProp(t *testing.T) {
	set := map[string]bool{}
	for _, b := range fixtures.Blogs {
		addSetProps(set, reflect.ValueOf(b))
	}
	for _, s := range fixtures.Services {
		addSetProps(set, reflect.ValueOf(s))
	}
	for _, of := range []reflect.Type{reflect.TypeFor[props.Blog](), reflect.TypeFor[props.ExistingService](), reflect.TypeFor[props.FargateService]()} {
		for _, prop := range propsOf(t, of) {
			if !set[prop] {
				t.Errorf("no fixture sets %s: set it in one, and run `make golden`", prop)
			}
		}
	}
}

// addSetProps adds the props in v that are not zero, as "Type.Field".
func addSetProps(set map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		addSetProps(set, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			addSetProps(set, v.Index(i))
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if !value.IsZero() {
				set[v.Type().Name()+"."+field.Name] = true
				addSetProps(set, value)
			}
		}
	}
}

// Prints the Go structs of which a PodTemplateSpec is made: see generate_spew_facts.py.
//
// A struct is a list of [Go name, JSON name, type]; a type is [kind, name as %T prints it, type of entries]: "struct",
// "ptr", "slice", "map", or the kind of a plain value. An embedded struct has no JSON name.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

var structs = map[string][][]any{}

func described(kind reflect.Type) []any {
	switch kind.Kind() {
	case reflect.Struct:
		add(kind)
		return []any{"struct", kind.String()}
	case reflect.Pointer:
		return []any{"ptr", kind.String(), described(kind.Elem())}
	case reflect.Slice:
		return []any{"slice", kind.String(), described(kind.Elem())}
	case reflect.Map:
		return []any{"map", kind.String(), described(kind.Elem()), kind.Key().String()}
	}
	return []any{kind.Kind().String(), kind.String()}
}

func add(kind reflect.Type) {
	name := kind.String()
	if _, known := structs[name]; known || name == "v1.Time" || name == "resource.Quantity" || name == "intstr.IntOrString" {
		return
	}
	structs[name] = nil
	fields := [][]any{}
	for index := 0; index < kind.NumField(); index++ {
		field := kind.Field(index)
		called, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields = append(fields, []any{field.Name, called, described(field.Type)})
	}
	structs[name] = fields
}

func main() {
	add(reflect.TypeOf(corev1.PodTemplateSpec{}))
	json.NewEncoder(os.Stdout).Encode(structs)
}

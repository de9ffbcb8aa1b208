// Prints what the Go structs of every built-in kind look like in JSON: see generate_struct_facts.py.
//
// A field is [name, type, flags]: a type is the number of another struct or one letter (s string, i integer,
// f float, b bool, y bytes, q Quantity, t Time, u MicroTime, d Duration, x IntOrString, r any JSON); flags are
// l list, m map, p pointer, o omitempty, z omitzero. Embedded structs stand in the place where Go writes them.
//
// Words are what errors of decoding call all this: of each struct its name, as %T prints it, and of each field the
// embedded structs that it comes from ("ProbeHandler") and the types of its value, of its entries, and so on.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"sort"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"
)

var letters = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":       "t",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":  "u",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":   "d",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":   "r",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":   "q",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString": "x",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":    "r",
}

type table struct {
	Names []string       `json:"names"`
	Types [][][]any      `json:"types"`
	Words [][][]string   `json:"words"`
	Kinds map[string]int `json:"kinds"`
	known map[reflect.Type]int
}

func (t *table) number(kind reflect.Type) int {
	if number, found := t.known[kind]; found {
		return number
	}
	number := len(t.Names)
	t.known[kind] = number
	t.Names = append(t.Names, kind.String())
	t.Types = append(t.Types, nil)
	t.Words = append(t.Words, nil)
	fields, words := t.fields(kind, "")
	t.Types[number], t.Words[number] = fields, words
	return number
}

func (t *table) fields(kind reflect.Type, within string) ([][]any, [][]string) {
	result := [][]any{}
	words := [][]string{}
	for index := 0; index < kind.NumField(); index++ {
		field := kind.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			fields, more := t.fields(embedded, within+field.Name+".")
			result, words = append(result, fields...), append(words, more...)
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		reference, flags := t.reference(field.Type)
		for _, option := range strings.Split(options, ",") {
			switch option {
			case "omitempty":
				flags += "o"
			case "omitzero":
				flags += "z"
			}
		}
		result = append(result, []any{name, reference, flags})
		words = append(words, append([]string{within}, levels(field.Type)...))
	}
	return result, words
}

// levels are the names of a type, of its entries' type, and so on.
func levels(kind reflect.Type) []string {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	_, whole := letters[kind.PkgPath()+"."+kind.Name()]
	if !whole && (kind.Kind() == reflect.Map || kind.Kind() == reflect.Slice) {
		return append([]string{kind.String()}, levels(kind.Elem())...)
	}
	return []string{kind.String()}
}

func (t *table) reference(kind reflect.Type) (any, string) {
	if letter, found := letters[kind.PkgPath()+"."+kind.Name()]; found {
		return letter, ""
	}
	switch kind.Kind() {
	case reflect.Pointer:
		reference, flags := t.reference(kind.Elem())
		return reference, "p" + flags
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return "y", ""
		}
		reference, flags := t.reference(kind.Elem())
		return reference, "l" + flags
	case reflect.Map:
		reference, flags := t.reference(kind.Elem())
		return reference, "m" + flags
	case reflect.String:
		return "s", ""
	case reflect.Bool:
		return "b", ""
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "i", ""
	case reflect.Float32, reflect.Float64:
		return "f", ""
	case reflect.Struct:
		return t.number(kind), ""
	}
	return "r", ""
}

func main() {
	facts := table{Kinds: map[string]int{}, known: map[reflect.Type]int{}}
	known := scheme.Scheme.AllKnownTypes()
	order := []string{}
	types := map[string]reflect.Type{}
	for kind, structure := range known {
		path := structure.PkgPath()
		options := strings.HasSuffix(path, "/meta/v1") && kind.Kind != "DeleteOptions" && kind.Kind != "Status"
		if kind.Version == "__internal" || options || strings.HasSuffix(kind.Kind, "List") {
			continue
		}
		name := kind.GroupVersion().String() + "/" + kind.Kind
		order = append(order, name)
		types[name] = structure
	}
	sort.Strings(order)
	for _, name := range order {
		facts.Kinds[name] = facts.number(types[name])
	}
	if err := json.NewEncoder(os.Stdout).Encode(facts); err != nil {
		panic(err)
	}
}

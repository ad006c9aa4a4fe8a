package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNamesLeadTables holds that the column NAME of every table is one of those that
// are cut last: it comes before all that may be hidden, shortened or coloured.
func TestNamesLeadTables(t *testing.T) {
	t.Parallel()
	files, found := token.NewFileSet(), 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			list, isList := node.(*ast.CompositeLit)
			if !isList {
				return true
			}
			array, isArray := list.Type.(*ast.ArrayType)
			if !isArray || !isSelector(array.Elt, "view", "Column") {
				return true
			}
			plain := true
			for _, element := range list.Elts {
				column, isColumn := element.(*ast.CompositeLit)
				if !isColumn {
					t.Errorf("%s: a column that is no literal", files.Position(element.Pos()))
					continue
				}
				if columnName(column) == "NAME" {
					found++
					if len(column.Elts) > 1 || !plain {
						t.Errorf("%s: NAME is not cut last", files.Position(column.Pos()))
					}
				}
				plain = plain && len(column.Elts) == 1
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("only %d tables with a NAME", found)
	}
}

func isSelector(expression ast.Expr, of, name string) bool {
	selector, isSelector := expression.(*ast.SelectorExpr)
	if !isSelector || selector.Sel.Name != name {
		return false
	}
	ident, isIdent := selector.X.(*ast.Ident)
	return isIdent && ident.Name == of
}

// columnName returns the name of a column.
func columnName(column *ast.CompositeLit) string {
	for _, element := range column.Elts {
		pair, isPair := element.(*ast.KeyValueExpr)
		if !isPair {
			continue
		}
		key, isIdent := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isIdent && isText && key.Name == "Name" {
			name, _ := strconv.Unquote(value.Value)
			return name
		}
	}
	return ""
}

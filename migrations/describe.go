package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Table is one table of the schema as it stands after the last migration.
type Table struct {
	Name    string
	Note    string
	Columns []Column
	Indexes []string // each as "name (columns)", with "unique" where it is
}

// Column is one column of a table.
type Column struct {
	Name       string
	Type       string // SQLite's; PostgreSQL's is its counterpart
	Note       string // empty where the name says it all
	References string // "table (column)"; empty for none
	Required   bool   // whether it is NOT NULL
	Key        bool   // whether it is of the primary key
}

// Describe reads a SQLite database's tables of ours, in the order of their making. The
// job queue's tables and the record of migrations are not among them.
func Describe(ctx context.Context, db DB) ([]Table, error) {
	names, err := texts(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'river_%' AND name <> 'schema_migrations' ORDER BY rowid`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var tables []Table
	for _, name := range names {
		table := Table{Name: name[0], Note: Tables()[name[0]]}
		if table.Columns, err = columnsOf(ctx, db, table.Name); err != nil {
			return nil, fmt.Errorf("describe table %s: %w", table.Name, err)
		}
		indexes, err := texts(ctx, db, `SELECT i.name, (SELECT group_concat(coalesce(c.name, 'an expression'), ', ') FROM pragma_index_info(i.name) c), CASE WHEN i."unique" THEN 'unique ' ELSE '' END, CASE WHEN i.partial THEN ', some rows' ELSE '' END FROM pragma_index_list('`+table.Name+`') i WHERE i.origin <> 'pk' ORDER BY i.seq DESC`)
		if err != nil {
			return nil, fmt.Errorf("describe indexes of %s: %w", table.Name, err)
		}
		for _, index := range indexes {
			label := index[2] + "(" + index[1] + index[3] + ")"
			if !strings.HasPrefix(index[0], "sqlite_autoindex") {
				label = index[0] + " " + label
			}
			table.Indexes = append(table.Indexes, label)
		}
		tables = append(tables, table)
	}
	return tables, nil
}

func columnsOf(ctx context.Context, db DB, table string) ([]Column, error) {
	rows, err := texts(ctx, db, `SELECT c.name, c.type, CASE WHEN c."notnull" OR c.pk THEN 'y' ELSE '' END, CASE WHEN c.pk THEN 'y' ELSE '' END,
coalesce((SELECT f."table" || ' (' || f."to" || ')' FROM pragma_foreign_key_list('`+table+`') f WHERE f."from" = c.name), '')
FROM pragma_table_info('`+table+`') c ORDER BY c.cid`)
	if err != nil {
		return nil, err
	}
	var columns []Column
	for _, row := range rows {
		columns = append(columns, Column{
			Name: row[0], Type: row[1], Required: row[2] != "", Key: row[3] != "", References: row[4],
			Note: Columns()[table+"."+row[0]],
		})
	}
	return columns, nil
}

// texts reads a query's rows as texts.
func texts(ctx context.Context, db DB, query string) (all [][]string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]string, len(columns))
		places := make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

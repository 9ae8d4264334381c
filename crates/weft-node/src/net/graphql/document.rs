//! From the text of a request to its resolved root fields: fragments spread, variables put in, directives applied.

use std::collections::BTreeMap;

use graphql_parser::query::{
    Definition, Directive, Document, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    Value as Syntax, VariableDefinition, parse_query,
};
use serde_json::{Map, Value};

/// The longest query text.
const MAX_QUERY: usize = 64 * 1024;
/// Nested brackets in the text; also the depth of fragments.
const MAX_DEPTH: usize = 32;
/// Fields of one request after its fragments are spread.
const MAX_FIELDS: usize = 2_000;

/// A request body: `{"query", "variables", "operationName"}`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Request {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

/// A selected field, its arguments as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// The key in the answer: the alias, else the name.
    pub(crate) key: String,
    /// The field of the schema.
    pub(crate) name: String,
    /// Arguments, variables put in; enums are text.
    pub(crate) arguments: Map<String, Value>,
    /// What is selected below; empty for a leaf.
    pub(crate) fields: Vec<Field>,
}

/// A sentence for `errors[].message`.
type Parsed<T> = Result<T, String>;

/// Parses a request and resolves its operation.
///
/// # Errors
/// A sentence: not GraphQL, too deep or too many fields, a missing variable, not a query.
pub(crate) fn parse(request: &Request) -> Parsed<Vec<Field>> {
    if request.query.len() > MAX_QUERY {
        return Err(format!("A query has at most {MAX_QUERY} bytes."));
    }
    bound_depth(&request.query)?;
    let document: Document<'_, String> =
        parse_query(&request.query).map_err(|cause| format!("Syntax error: {cause}"))?;
    let (selection, definitions) = operation(&document, request.operation_name.as_deref())?;
    let mut resolver = Resolver {
        variables: variables(definitions, request)?,
        fragments: fragments(&document),
        left: MAX_FIELDS,
    };
    resolver.set(selection, 0)
}

/// The parser recurses on brackets, so their depth is bounded first. Brackets inside strings count too: no
/// client has that many.
fn bound_depth(query: &str) -> Parsed<()> {
    let mut depth = 0_usize;
    for byte in query.bytes() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("A query nests at most {MAX_DEPTH} brackets."));
        }
    }
    Ok(())
}

type Operation<'a> = (&'a SelectionSet<'a, String>, &'a [VariableDefinition<'a, String>]);

fn operation<'a>(document: &'a Document<'a, String>, name: Option<&str>) -> Parsed<Operation<'a>> {
    let mut found = None;
    for definition in &document.definitions {
        let Definition::Operation(operation) = definition else { continue };
        let (own_name, resolved): (Option<&String>, Operation<'a>) = match operation {
            OperationDefinition::SelectionSet(set) => (None, (set, &[])),
            OperationDefinition::Query(query) => {
                (query.name.as_ref(), (&query.selection_set, &query.variable_definitions))
            }
            OperationDefinition::Mutation(_) | OperationDefinition::Subscription(_) => {
                return Err("Only queries are answered.".to_owned());
            }
        };
        match name {
            Some(name) if own_name.is_some_and(|own| own == name) => return Ok(resolved),
            Some(_) => {}
            None if found.is_some() => return Err("Must provide operation name.".to_owned()),
            None => found = Some(resolved),
        }
    }
    found.ok_or_else(|| "The request has no such operation.".to_owned())
}

fn fragments<'a>(
    document: &'a Document<'a, String>,
) -> BTreeMap<&'a str, &'a FragmentDefinition<'a, String>> {
    let each = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    each.collect()
}

/// Values of the variables: given, else default, else null unless the type says `!`.
fn variables(
    definitions: &[VariableDefinition<'_, String>],
    request: &Request,
) -> Parsed<Map<String, Value>> {
    let given = request.variables.as_ref();
    let mut values = Map::new();
    for definition in definitions {
        let name = &definition.name;
        let value = match (given.and_then(|given| given.get(name)), &definition.default_value) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => literal(default, &Map::new())?,
            (None, None) => Value::Null,
        };
        let required = matches!(definition.var_type, graphql_parser::query::Type::NonNullType(_));
        if required && value.is_null() {
            return Err(format!("Variable \"${name}\" of required type was not provided."));
        }
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn literal(value: &Syntax<'_, String>, variables: &Map<String, Value>) -> Parsed<Value> {
    Ok(match value {
        Syntax::Variable(name) => {
            variables.get(name).cloned().ok_or_else(|| format!("Variable \"${name}\" is not defined."))?
        }
        Syntax::Int(number) => number.as_i64().map_or(Value::Null, Value::from),
        Syntax::Float(number) => Value::from(*number),
        Syntax::String(text) | Syntax::Enum(text) => Value::from(text.clone()),
        Syntax::Boolean(flag) => Value::from(*flag),
        Syntax::Null => Value::Null,
        Syntax::List(items) => {
            Value::Array(items.iter().map(|item| literal(item, variables)).collect::<Parsed<_>>()?)
        }
        Syntax::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), literal(value, variables)?)));
            Value::Object(fields.collect::<Parsed<_>>()?)
        }
    })
}

struct Resolver<'a> {
    variables: Map<String, Value>,
    fragments: BTreeMap<&'a str, &'a FragmentDefinition<'a, String>>,
    left: usize,
}

impl<'a> Resolver<'a> {
    fn set(&mut self, set: &'a SelectionSet<'a, String>, depth: usize) -> Parsed<Vec<Field>> {
        if depth > MAX_DEPTH {
            return Err(format!("Fragments nest at most {MAX_DEPTH} deep."));
        }
        let mut fields = Vec::new();
        for selection in &set.items {
            match selection {
                Selection::Field(field) if self.included(&field.directives)? => {
                    self.left = self.left.checked_sub(1).ok_or("The query selects too many fields.")?;
                    let arguments = field
                        .arguments
                        .iter()
                        .map(|(name, value)| Ok((name.clone(), literal(value, &self.variables)?)))
                        .collect::<Parsed<_>>()?;
                    merge(
                        &mut fields,
                        Field {
                            key: field.alias.clone().unwrap_or_else(|| field.name.clone()),
                            name: field.name.clone(),
                            arguments,
                            fields: self.set(&field.selection_set, depth + 1)?,
                        },
                    )?;
                }
                Selection::InlineFragment(fragment) if self.included(&fragment.directives)? => {
                    for field in self.set(&fragment.selection_set, depth + 1)? {
                        merge(&mut fields, field)?;
                    }
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives)? => {
                    let name = spread.fragment_name.as_str();
                    let fragment =
                        *self.fragments.get(name).ok_or_else(|| format!("Unknown fragment \"{name}\"."))?;
                    self.left = self.left.checked_sub(1).ok_or("The query selects too many fields.")?;
                    for field in self.set(&fragment.selection_set, depth + 1)? {
                        merge(&mut fields, field)?;
                    }
                }
                _ => {}
            }
        }
        Ok(fields)
    }

    /// `@skip(if:)` and `@include(if:)`; other directives are not known.
    fn included(&self, directives: &[Directive<'_, String>]) -> Parsed<bool> {
        for directive in directives {
            let condition = directive.arguments.iter().find(|(name, _)| name == "if").map(|(_, value)| value);
            let condition = condition.map(|value| literal(value, &self.variables)).transpose()?;
            let condition = condition.and_then(|value| value.as_bool());
            match (directive.name.as_str(), condition) {
                ("skip", Some(true)) | ("include", Some(false)) => return Ok(false),
                ("skip", Some(false)) | ("include", Some(true)) => {}
                (name, _) => return Err(format!("Directive \"@{name}\" is not known or lacks \"if\".")),
            }
        }
        Ok(true)
    }
}

/// Two selections of one key become one, as the specification's field merging says.
fn merge(fields: &mut Vec<Field>, new: Field) -> Parsed<()> {
    let Some(old) = fields.iter_mut().find(|field| field.key == new.key) else {
        fields.push(new);
        return Ok(());
    };
    if old.name != new.name || old.arguments != new.arguments {
        return Err(format!("Fields \"{}\" conflict.", new.key));
    }
    for field in new.fields {
        merge(&mut old.fields, field)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: Value) -> Parsed<Vec<Field>> {
        parse(&serde_json::from_value(body).unwrap())
    }

    #[test]
    fn variables_aliases_and_fragments_resolve() {
        let query =
            "query Q($ids: [ID!]!, $first: Int = 3) { a: transactions(ids: $ids, first: $first) { ...P } }
            fragment P on X { edges { node { id } } edges { node { tags { name } } } }";
        let found = fields(json!({"query": query, "variables": {"ids": ["x"]}})).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].key.as_str(), found[0].name.as_str()), ("a", "transactions"));
        assert_eq!(Value::Object(found[0].arguments.clone()), json!({"ids": ["x"], "first": 3}));
        let node = &found[0].fields[0].fields[0];
        assert_eq!(node.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["id", "tags"]);
    }

    #[test]
    fn skip_and_include_are_obeyed() {
        let query = "query($s: Boolean!) { transactions { edges { cursor @skip(if: $s) node @include(if: $s) { id } } } }";
        let edges = |skip: bool| {
            let found = fields(json!({"query": query, "variables": {"s": skip}})).unwrap();
            found[0].fields[0].fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(edges(true), ["node"]);
        assert_eq!(edges(false), ["cursor"]);
    }

    #[test]
    fn a_required_variable_must_be_there() {
        let error =
            fields(json!({"query": "query($ids: [ID!]!) { transactions(ids: $ids) { edges { cursor } } }"}));
        assert!(error.unwrap_err().contains("$ids"));
    }

    #[test]
    fn endless_fragments_and_deep_brackets_stop() {
        let endless = "{ ...A } fragment A on Q { ...A }";
        assert!(fields(json!({"query": endless})).is_err());
        let wide = format!(
            "{{ ...F0 }} {} fragment F20 on Q {{ a }}",
            (0..20)
                .map(|n| format!("fragment F{n} on Q {{ ...F{m} ...F{m} }}", m = n + 1))
                .collect::<String>()
        );
        assert!(fields(json!({"query": wide})).unwrap_err().contains("too many"));
        assert!(fields(json!({"query": "{".repeat(5000)})).unwrap_err().contains("brackets"));
        assert!(fields(json!({"query": "mutation { a }"})).is_err());
        assert!(fields(json!({"query": ""})).is_err());
    }
}

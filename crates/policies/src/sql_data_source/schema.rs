//! The elements and attributes of the policy, and how they are read.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/sql-data-source-policy>

use mssql::{SqlType, is_parameter_name};
use pipeline::{
    Attr, Child, CompileCx, Diagnostic, Element, Message, Section, Steps, ValueType, codes,
};

use super::{Declared, SqlDataSource};
use crate::outgoing::SET_BODY;

pub(super) const CHILDREN: &[Child] = &[CONNECTION_INFO, REQUEST, RESPONSE];

const CONNECTION_INFO: Child = Child::required("connection-info")
    .children(&[CONNECTION_STRING])
    .doc("The database.")
    .differs("`authentication-certificate` and `include-fragment` within it are refused.");
const CONNECTION_STRING: Child = Child::required("connection-string")
    .attrs(&[USE_MANAGED_IDENTITY])
    .expressions()
    .doc("`Server=tcp:HOST,1433;Initial Catalog=DATABASE;User ID=...;Password=...;`.")
    .differs("Connections are encrypted and certificates checked; what turns that off is refused.");
const USE_MANAGED_IDENTITY: Attr = Attr::optional("use-managed-identity", "false")
    .expressions()
    .doc("Whether the gateway's system-assigned identity is used.")
    .of(ValueType::Boolean);
const REQUEST: Child = Child::required("request")
    .attrs(&[SINGLE_RESULT])
    .children(&[SQL_STATEMENT, PARAMETERS])
    .doc("The statement; its value has `items`.")
    .differs("`set-body` and `include-fragment` within it are refused.");
const SINGLE_RESULT: Attr = Attr::optional("single-result", "false")
    .expressions()
    .doc("Whether the value is the first row, or null.")
    .of(ValueType::Boolean);
const SQL_STATEMENT: Child =
    Child::required("sql-statement").expressions().doc("The statement, T-SQL.");
const PARAMETERS: Child =
    Child::optional("parameters").children(&[PARAMETER]).doc("Parameters of the statement.");
const PARAMETER: Child = Child::repeated("parameter")
    .attrs(&[NAME, SQL_TYPE])
    .expressions()
    .doc("Value; a literal is a text.");
const NAME: Attr = Attr::required("name").doc("Name with its `@`.");
const SQL_TYPE: Attr = Attr::optional("sql-type", "nvarchar")
    .doc("Type that the database reads the value as.")
    .differs("Types of bytes, `xml` and `sql_variant` are refused.");
const RESPONSE: Child =
    Child::optional("response").children(IN_RESPONSE).doc("What is made of the answer.");
const PUBLISH_EVENT: Child = Child::optional("publish-event").as_policy().doc("Tells subscribers.");
const IN_RESPONSE: &[Child] = &[SET_BODY, PUBLISH_EVENT];

pub(super) fn read(element: Element<'_>, cx: &mut CompileCx) -> Result<SqlDataSource, Diagnostic> {
    let info = required(element, &CONNECTION_INFO, cx)?;
    let string = required(info, &CONNECTION_STRING, cx)?;
    let request = required(element, &REQUEST, cx)?;
    let statement = required(request, &SQL_STATEMENT, cx)?;
    let response = match element.child(&RESPONSE) {
        Some(it) => cx.steps_in(it, IN_RESPONSE, Section::Outbound, Message::Response)?,
        None => Steps::default(),
    };
    Ok(SqlDataSource {
        connection: cx.text(string)?,
        by_identity: cx.attr(string, &USE_MANAGED_IDENTITY)?,
        is_single: cx.attr(request, &SINGLE_RESULT)?,
        statement: cx.text(statement)?,
        parameters: parameters(request, cx)?,
        response,
    })
}

fn parameters(request: Element<'_>, cx: &mut CompileCx) -> Result<Vec<Declared>, Diagnostic> {
    let mut all: Vec<Declared> = Vec::new();
    for it in request.children(&PARAMETERS).flat_map(|it| it.children(&PARAMETER)) {
        let name: String = cx.literal(it, &NAME)?;
        let name = name.trim().to_owned();
        let is_other = !all.iter().any(|other| other.name.eq_ignore_ascii_case(&name));
        if !is_parameter_name(&name) || !is_other {
            let message = format!("`{name}` is no name of a parameter, or there is another one");
            return Err(cx.refuse_attr(it, &NAME, codes::BAD_VALUE, message));
        }
        let text: String = cx.literal(it, &SQL_TYPE)?;
        let Some(sql_type) = SqlType::named(&text) else {
            let names: Vec<_> = SqlType::names().collect();
            let message = format!("`{text}` is none of `{}`", names.join("`, `"));
            return Err(cx.refuse_attr(it, &SQL_TYPE, codes::BAD_VALUE, message));
        };
        all.push(Declared { name, sql_type, value: cx.markup(it)? });
    }
    Ok(all)
}

fn required<'a>(
    element: Element<'a>,
    child: &Child,
    cx: &mut CompileCx,
) -> Result<Element<'a>, Diagnostic> {
    element.child(child).ok_or_else(|| {
        let message = format!("`{}` is missing", child.name());
        cx.refuse(element, codes::MISSING_CHILD, message)
    })
}

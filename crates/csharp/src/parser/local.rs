//! Declarations: local variables, constants and functions.
//!
//! Source: C# 7 language specification, 13.6.

use super::types::Question;
use super::{Dialect, Parser, expr};
use crate::ast::{ExprKind, LambdaBody, Local, LocalFunction, Name, StmtKind, Variable};
use crate::token::{Keyword, Punct, TokenKind};

impl Parser<'_> {
    /// Parses a declaration statement if one starts here.
    pub(super) fn declaration(&mut self) -> Option<StmtKind> {
        self.refuse_modifiers();
        if self.is_deconstruction() {
            return Some(self.deconstruction());
        }
        if self.is_local_function() {
            return Some(self.local_function());
        }
        if !self.begins_declaration() {
            return None;
        }
        let local = self.local(false);
        self.end_declaration();
        Some(StmtKind::Local(local))
    }

    /// `static` and `async` before a local function, `ref` before a local variable.
    fn refuse_modifiers(&mut self) {
        let span = self.span();
        if self.at_keyword(Keyword::Static) {
            self.needs(span, 8, "a `static` local function");
            self.advance();
        } else if self.is_word(self.at, "async") && self.is_function_at(self.at + 1) {
            self.refuse(span, "`async` is", None);
            self.advance();
        } else if self.at_keyword(Keyword::Ref) {
            self.refuse(span, "a `ref` local is", None);
            self.advance();
        }
    }

    /// A type with a name behind it.
    pub(super) fn begins_declaration(&self) -> bool {
        self.scan_type(self.at, Question::Nullable).is_some_and(|it| {
            self.is_identifier(it.end) && !self.is_punct(it.end + 1, Punct::OpenParen)
        })
    }

    /// `var (a, b) = ...`, `(int a, int b) = ...`, `(a, b) = ...`.
    fn is_deconstruction(&self) -> bool {
        let open = if self.is_word(self.at, "var") { self.at + 1 } else { self.at };
        let Some(end) = self.closer(open) else { return false };
        let is_expression = open == self.at && self.dialect == Dialect::Beyond;
        !is_expression
            && self.is_punct(open, Punct::OpenParen)
            && self.is_punct(end + 1, Punct::Assign)
            && (open > self.at || self.has_comma(open, end))
    }

    fn has_comma(&self, open: usize, end: usize) -> bool {
        let mut index = open + 1;
        while index < end {
            if self.is_punct(index, Punct::Comma) {
                return true;
            }
            index = self.closer(index).unwrap_or(index) + 1;
        }
        false
    }

    fn deconstruction(&mut self) -> StmtKind {
        let start = self.span();
        while !self.at(Punct::OpenParen) {
            self.advance();
        }
        if self.dialect == Dialect::Beyond {
            let target = Box::new(self.designations());
            self.expect(Punct::Assign);
            let value = Box::new(self.expression());
            self.end_declaration();
            let kind = ExprKind::Assign { op: None, target, value };
            return StmtKind::Expression(expr(kind, self.span_from(start)));
        }
        let end = self.closer(self.at).unwrap_or(self.at);
        self.refuse_tuple(start.to(self.span_at(end)));
        self.at = end;
        self.advance();
        self.expect(Punct::Assign);
        self.expression();
        self.end_declaration();
        StmtKind::Empty
    }

    /// The type and the variables, without the `;`.
    pub(super) fn local(&mut self, constant: bool) -> Local {
        let ty = self.type_or_var();
        let mut variables = Vec::new();
        loop {
            let name = self.name();
            let value = self.eat(Punct::Assign).then(|| {
                if self.at_keyword(Keyword::Ref) {
                    let span = self.span();
                    self.refuse(span, "a `ref` local is", None);
                    self.advance();
                }
                self.array_element()
            });
            if constant && value.is_none() {
                self.expected("`=`: a constant needs a value");
            }
            variables.push(Variable { name, value });
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        Local { constant, ty, variables }
    }

    fn is_local_function(&self) -> bool {
        self.is_function_at(self.at)
    }

    /// `T F(...) {`, `T F(...) =>`, `T F<A>(...) ...`.
    fn is_function_at(&self, index: usize) -> bool {
        let name = if self.is_keyword(index, Keyword::Void) {
            index + 1
        } else {
            match self.scan_type(index, Question::Nullable) {
                Some(it) => it.end,
                None => return false,
            }
        };
        if !self.is_identifier(name) {
            return false;
        }
        if self.is_punct(name + 1, Punct::Less) {
            return true;
        }
        let Some(end) = self.closer(name + 1).filter(|_| self.is_punct(name + 1, Punct::OpenParen))
        else {
            return false;
        };
        let after = end + 1;
        self.is_punct(after, Punct::OpenBrace) || self.is_punct(after, Punct::Arrow)
    }

    fn local_function(&mut self) -> StmtKind {
        let result = if self.eat_keyword(Keyword::Void) {
            None
        } else {
            Some(self.type_ref(Question::Nullable))
        };
        let name = self.name();
        let type_parameters = self.type_parameters();
        let parameters = self.parameters(true);
        let body = if self.eat(Punct::Arrow) {
            let value = self.expression();
            self.end_declaration();
            LambdaBody::Expression(value)
        } else {
            LambdaBody::Block(self.block())
        };
        let function = LocalFunction { result, name, type_parameters, parameters, body };
        StmtKind::LocalFunction(Box::new(function))
    }

    fn type_parameters(&mut self) -> Vec<Name> {
        let mut names = Vec::new();
        if !self.eat(Punct::Less) {
            return names;
        }
        while matches!(self.kind(), TokenKind::Identifier { .. }) {
            names.push(self.name());
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::Greater);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{print_statements as print, statement_problems as problems};

    #[test]
    fn variables_of_every_form() {
        assert_eq!(print("int a = 1, b;"), "int a = 1, b;");
        assert_eq!(print("var x = F();"), "var x = F();");
        assert_eq!(print("const string s = \"a\";"), "const string s = \"a\";");
        assert_eq!(print("byte[] kDate, kRegion;"), "byte[] kDate, kRegion;");
        assert_eq!(print("int[] a = { 1, 2 };"), "int[] a = {1, 2};");
        assert_eq!(print("List<string[]> a = null;"), "List<string[]> a = null;");
        assert_eq!(print("int? n = null;"), "int? n = null;");
        assert_eq!(print("JObject o;"), "JObject o;");
        assert_eq!(print("var = 1;"), "(= var 1);");
    }

    #[test]
    fn expressions_are_no_declarations() {
        assert_eq!(print("a.B(c);"), "a.B(c);");
        assert_eq!(print("a[0] = 1;"), "(= a[0] 1);");
        assert_eq!(print("a?.B();"), "(a ?. it.B());");
        assert_eq!(print("a.B<int>(c);"), "a.B<int>(c);");
        assert_eq!(print("int.Parse(a);"), "int.Parse(a);");
    }

    #[test]
    fn local_functions() {
        assert_eq!(
            print("int F(int a, params int[] b) => a;"),
            "int F(int a, params int[] b) => a;"
        );
        assert_eq!(print("void G() { }"), "void G() {}");
        assert_eq!(print("T H<T>(T a = null) { return a; }"), "T H<T>(T a = null) {return a;}");
    }

    #[test]
    fn what_is_refused_is_named() {
        for (source, expected) in [
            ("var (a, b) = c;", "System.ValueTuple is not an allowed type"),
            ("(a, b) = (b, a);", "System.ValueTuple is not an allowed type"),
            ("(int, int) a = b;", "System.ValueTuple is not an allowed type"),
            ("dynamic x = 1;", "`dynamic` is not allowed in a policy expression"),
            ("static int F() => 1;", "a `static` local function needs C# 8"),
            ("async Task F() { }", "`async` is not allowed in a policy expression"),
            ("ref int x = ref y;", "a `ref` local is not allowed in a policy expression"),
            ("int x = 1 int y = 2;", "expected `;`"),
        ] {
            assert_eq!(problems(source)[0], expected, "{source}");
        }
    }
}

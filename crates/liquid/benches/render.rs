//! How long a template takes: the body to values, the template to text.

#![expect(clippy::expect_used, reason = "a benchmark stops when its text is wrong")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_liquid::{Limits, Template, Value, body};

const TEMPLATE: &str = r#"{
  "order": {
    "id": "{{ body.order.id }}",
    "customer": "{{ body.order.customer.name | Upcase }}",
    {% if body.order.total > 100 %}"class": "large",{% else %}"class": "small",{% endif %}
    "date": "{{ body.order.date | Date: "yyyy-MM-dd" }}",
    "lines": [{% JSONArrayFor line in body.order.lines %}
      { "sku": "{{ line.sku }}", "price": {{ line.price | Times: line.count }} }{% endJSONArrayFor %}
    ]
  }
}"#;

fn order(n_lines: usize) -> String {
    let lines: Vec<String> = (0..n_lines)
        .map(|it| format!(r#"{{"sku":"A-{it}","price":{it}.5,"count":{it}}}"#))
        .collect();
    format!(
        r#"{{"order":{{"id":4711,"customer":{{"name":"Contoso"}},"total":120.5,"date":"2024-02-29T12:00:00Z","lines":[{}]}}}}"#,
        lines.join(",")
    )
}

fn benchmarks(criterion: &mut Criterion) {
    let template = Template::compile(TEMPLATE).expect("it is a template");
    criterion.bench_function("compile", |it| it.iter(|| Template::compile(black_box(TEMPLATE))));
    for n_lines in [1, 10, 1000] {
        let text = order(n_lines);
        let read = |text: &str| body::json(text, body::Reading::default()).expect("it is JSON");
        criterion.bench_function(&format!("read {n_lines} lines"), |it| {
            it.iter(|| read(black_box(&text)));
        });
        let given: [(&str, Value); 1] = [("body", read(&text))];
        criterion.bench_function(&format!("render {n_lines} lines"), |it| {
            it.iter(|| template.render(black_box(&given), &Limits::default(), 0));
        });
    }
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);

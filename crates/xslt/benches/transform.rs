//! What a transformation costs: a document of 10 KiB through a stylesheet with rules, keys, sorting
//! and number formats; the identity; compiling.
//!
//! ```text
//! cargo bench -p portcullis-xslt --bench transform
//! transform write FOLDER       the stylesheet and the document as files, for other processors
//! ```

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use criterion::Criterion;
use portcullis_xslt::{Limits, Stylesheet};

const REPORT: &str = r##"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="xml" omit-xml-declaration="yes"/>
<xsl:key name="city" match="order" use="city"/>
<xsl:template match="/orders">
  <report total="{format-number(sum(order/amount), '#,##0.00')}">
    <xsl:for-each select="order[generate-id() = generate-id(key('city', city)[1])]">
      <xsl:sort select="city"/>
      <city name="{city}" n="{count(key('city', city))}">
        <xsl:apply-templates select="key('city', city)"><xsl:sort select="amount" data-type="number" order="descending"/></xsl:apply-templates>
      </city>
    </xsl:for-each>
  </report>
</xsl:template>
<xsl:template match="order">
  <xsl:variable name="class"><xsl:choose><xsl:when test="amount &gt; 500">big</xsl:when><xsl:otherwise>small</xsl:otherwise></xsl:choose></xsl:variable>
  <o id="{@id}" class="{$class}"><xsl:value-of select="concat(translate(name, 'abc', 'ABC'), ': ')"/><xsl:value-of select="format-number(amount, '0.00')"/></o>
</xsl:template>
</xsl:stylesheet>"##;

const IDENTITY: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template></xsl:stylesheet>"#;

/// About 10 KiB.
fn document() -> String {
    let cities = ["Bonn", "Ulm", "Jena", "Trier", "Kiel"];
    let mut text = String::from("<orders>\n");
    for at in 0..88_usize {
        let city = cities.get(at * 7 % cities.len()).copied().unwrap_or("Bonn");
        let amount = at * 7919 % 1000;
        text += &format!(
            "  <order id=\"{at}\">\n    <name>customer abc {at}</name>\n    <city>{city}</city>\n    <amount>{amount}.{at}</amount>\n  </order>\n"
        );
    }
    text + "</orders>\n"
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, folder] = arguments.as_slice()
        && word == "write"
    {
        let folder = Path::new(folder);
        let files = [
            ("report.xsl", REPORT.to_owned()),
            ("identity.xsl", IDENTITY.to_owned()),
            ("orders.xml", document()),
        ];
        let written = files.iter().all(|(name, text)| fs::write(folder.join(name), text).is_ok());
        return if written { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut criterion = Criterion::default().configure_from_args();
    let (limits, document) = (Limits::default(), document());
    for (name, text) in [("report", REPORT), ("identity", IDENTITY)] {
        let Ok(sheet) = Stylesheet::compile(text) else { return ExitCode::FAILURE };
        criterion.bench_function(&format!("xslt {name} 10 KiB"), |it| {
            it.iter(|| black_box(sheet.transform(black_box(&document), &[], &limits).is_ok()));
        });
    }
    criterion.bench_function("xslt compile report", |it| {
        it.iter(|| black_box(Stylesheet::compile(black_box(REPORT)).is_ok()));
    });
    criterion.final_summary();
    ExitCode::SUCCESS
}

//! Unicode categories and named blocks as .NET names them: `\p{Lu}`, `\p{IsGreek}`.
//!
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions>

use crate::units::{CATEGORIES, categories};

/// Blocks: name, first and last character.
const BLOCKS: &[(&str, u16, u16)] = &[
    ("IsBasicLatin", 0x0000, 0x007f),
    ("IsLatin-1Supplement", 0x0080, 0x00ff),
    ("IsLatinExtended-A", 0x0100, 0x017f),
    ("IsLatinExtended-B", 0x0180, 0x024f),
    ("IsIPAExtensions", 0x0250, 0x02af),
    ("IsSpacingModifierLetters", 0x02b0, 0x02ff),
    ("IsCombiningDiacriticalMarks", 0x0300, 0x036f),
    ("IsGreek", 0x0370, 0x03ff),
    ("IsGreekandCoptic", 0x0370, 0x03ff),
    ("IsCyrillic", 0x0400, 0x04ff),
    ("IsCyrillicSupplement", 0x0500, 0x052f),
    ("IsArmenian", 0x0530, 0x058f),
    ("IsHebrew", 0x0590, 0x05ff),
    ("IsArabic", 0x0600, 0x06ff),
    ("IsSyriac", 0x0700, 0x074f),
    ("IsThaana", 0x0780, 0x07bf),
    ("IsDevanagari", 0x0900, 0x097f),
    ("IsBengali", 0x0980, 0x09ff),
    ("IsGurmukhi", 0x0a00, 0x0a7f),
    ("IsGujarati", 0x0a80, 0x0aff),
    ("IsOriya", 0x0b00, 0x0b7f),
    ("IsTamil", 0x0b80, 0x0bff),
    ("IsTelugu", 0x0c00, 0x0c7f),
    ("IsKannada", 0x0c80, 0x0cff),
    ("IsMalayalam", 0x0d00, 0x0d7f),
    ("IsSinhala", 0x0d80, 0x0dff),
    ("IsThai", 0x0e00, 0x0e7f),
    ("IsLao", 0x0e80, 0x0eff),
    ("IsTibetan", 0x0f00, 0x0fff),
    ("IsMyanmar", 0x1000, 0x109f),
    ("IsGeorgian", 0x10a0, 0x10ff),
    ("IsHangulJamo", 0x1100, 0x11ff),
    ("IsEthiopic", 0x1200, 0x137f),
    ("IsCherokee", 0x13a0, 0x13ff),
    ("IsUnifiedCanadianAboriginalSyllabics", 0x1400, 0x167f),
    ("IsOgham", 0x1680, 0x169f),
    ("IsRunic", 0x16a0, 0x16ff),
    ("IsTagalog", 0x1700, 0x171f),
    ("IsHanunoo", 0x1720, 0x173f),
    ("IsBuhid", 0x1740, 0x175f),
    ("IsTagbanwa", 0x1760, 0x177f),
    ("IsKhmer", 0x1780, 0x17ff),
    ("IsMongolian", 0x1800, 0x18af),
    ("IsLimbu", 0x1900, 0x194f),
    ("IsTaiLe", 0x1950, 0x197f),
    ("IsKhmerSymbols", 0x19e0, 0x19ff),
    ("IsPhoneticExtensions", 0x1d00, 0x1d7f),
    ("IsLatinExtendedAdditional", 0x1e00, 0x1eff),
    ("IsGreekExtended", 0x1f00, 0x1fff),
    ("IsGeneralPunctuation", 0x2000, 0x206f),
    ("IsSuperscriptsandSubscripts", 0x2070, 0x209f),
    ("IsCurrencySymbols", 0x20a0, 0x20cf),
    ("IsCombiningDiacriticalMarksforSymbols", 0x20d0, 0x20ff),
    ("IsCombiningMarksforSymbols", 0x20d0, 0x20ff),
    ("IsLetterlikeSymbols", 0x2100, 0x214f),
    ("IsNumberForms", 0x2150, 0x218f),
    ("IsArrows", 0x2190, 0x21ff),
    ("IsMathematicalOperators", 0x2200, 0x22ff),
    ("IsMiscellaneousTechnical", 0x2300, 0x23ff),
    ("IsControlPictures", 0x2400, 0x243f),
    ("IsOpticalCharacterRecognition", 0x2440, 0x245f),
    ("IsEnclosedAlphanumerics", 0x2460, 0x24ff),
    ("IsBoxDrawing", 0x2500, 0x257f),
    ("IsBlockElements", 0x2580, 0x259f),
    ("IsGeometricShapes", 0x25a0, 0x25ff),
    ("IsMiscellaneousSymbols", 0x2600, 0x26ff),
    ("IsDingbats", 0x2700, 0x27bf),
    ("IsMiscellaneousMathematicalSymbols-A", 0x27c0, 0x27ef),
    ("IsSupplementalArrows-A", 0x27f0, 0x27ff),
    ("IsBraillePatterns", 0x2800, 0x28ff),
    ("IsSupplementalArrows-B", 0x2900, 0x297f),
    ("IsMiscellaneousMathematicalSymbols-B", 0x2980, 0x29ff),
    ("IsSupplementalMathematicalOperators", 0x2a00, 0x2aff),
    ("IsMiscellaneousSymbolsandArrows", 0x2b00, 0x2bff),
    ("IsCJKRadicalsSupplement", 0x2e80, 0x2eff),
    ("IsKangxiRadicals", 0x2f00, 0x2fdf),
    ("IsIdeographicDescriptionCharacters", 0x2ff0, 0x2fff),
    ("IsCJKSymbolsandPunctuation", 0x3000, 0x303f),
    ("IsHiragana", 0x3040, 0x309f),
    ("IsKatakana", 0x30a0, 0x30ff),
    ("IsBopomofo", 0x3100, 0x312f),
    ("IsHangulCompatibilityJamo", 0x3130, 0x318f),
    ("IsKanbun", 0x3190, 0x319f),
    ("IsBopomofoExtended", 0x31a0, 0x31bf),
    ("IsKatakanaPhoneticExtensions", 0x31f0, 0x31ff),
    ("IsEnclosedCJKLettersandMonths", 0x3200, 0x32ff),
    ("IsCJKCompatibility", 0x3300, 0x33ff),
    ("IsCJKUnifiedIdeographsExtensionA", 0x3400, 0x4dbf),
    ("IsYijingHexagramSymbols", 0x4dc0, 0x4dff),
    ("IsCJKUnifiedIdeographs", 0x4e00, 0x9fff),
    ("IsYiSyllables", 0xa000, 0xa48f),
    ("IsYiRadicals", 0xa490, 0xa4cf),
    ("IsHangulSyllables", 0xac00, 0xd7af),
    ("IsHighSurrogates", 0xd800, 0xdb7f),
    ("IsHighPrivateUseSurrogates", 0xdb80, 0xdbff),
    ("IsLowSurrogates", 0xdc00, 0xdfff),
    ("IsPrivateUse", 0xe000, 0xf8ff),
    ("IsPrivateUseArea", 0xe000, 0xf8ff),
    ("IsCJKCompatibilityIdeographs", 0xf900, 0xfaff),
    ("IsAlphabeticPresentationForms", 0xfb00, 0xfb4f),
    ("IsArabicPresentationForms-A", 0xfb50, 0xfdff),
    ("IsVariationSelectors", 0xfe00, 0xfe0f),
    ("IsCombiningHalfMarks", 0xfe20, 0xfe2f),
    ("IsCJKCompatibilityForms", 0xfe30, 0xfe4f),
    ("IsSmallFormVariants", 0xfe50, 0xfe6f),
    ("IsArabicPresentationForms-B", 0xfe70, 0xfeff),
    ("IsHalfwidthandFullwidthForms", 0xff00, 0xffef),
    ("IsSpecials", 0xfff0, 0xffff),
];

/// What `\p{name}` holds; nothing if .NET does not know the name.
pub(crate) fn property(name: &str) -> Option<Property> {
    let is_category =
        CATEGORIES.contains(&name) || matches!(name, "C" | "L" | "M" | "N" | "P" | "S" | "Z");
    if is_category {
        return Some(Property::Categories(categories(name)));
    }
    let (_, first, last) = BLOCKS.iter().find(|(block, _, _)| *block == name)?;
    Some(Property::Block(*first, *last))
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    /// Categories, as bits.
    Categories(u32),
    /// First and last unit.
    Block(u16, u16),
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS, Property, property};

    #[test]
    fn categories_and_blocks_are_known() {
        assert_eq!(property("Lu"), Some(Property::Categories(1)));
        assert_eq!(property("Cs"), Some(Property::Categories(1 << 16)));
        assert_eq!(property("IsBasicLatin"), Some(Property::Block(0, 0x7f)));
        assert_eq!(property("Greek"), None);
    }

    #[test]
    fn every_block_ends_after_it_begins() {
        assert!(BLOCKS.iter().all(|(_, first, last)| first < last));
    }
}

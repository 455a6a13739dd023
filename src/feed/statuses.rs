//! Words for employment, in plain form, by meaning.
//!
//! The tables contain only unambiguous words. A suspension, an accepted offer or a kind of contract does not show whether
//! a person works here. Such words stay unclassified and are reported. A given notice (`gekündigt`) may be before or
//! after the end of work.

use std::collections::BTreeMap;

use super::columns::Flag;
use super::values::plain;
use crate::model::Employment;

pub(super) const WORDS: [(Employment, &str); 3] = [
    (
        Employment::Active,
        "active activeemployee employed hired current currentemployee working gardenleave ongardenleave \
         gardeningleave ongardeningleave onnotice noticeperiod innoticeperiod servingnotice workingnotice \
         aktiv beschaftigt angestellt freigestellt actif enposte activo enactivo attivo inservizio actief \
         ativo 在職 在職中 在籍 在籍中 勤務中",
    ),
    (
        Employment::OnLeave,
        "leave onleave leaveofabsence onleaveofabsence loa fmla fmlaleave militaryleave sabbatical onsabbatical \
         sabbaticalleave longtermsick longtermsickleave longtermleave onsickleave shorttermdisability \
         longtermdisability disabilityleave sabbatjahr langzeitkrank langzeiterkrankt maternityleave onmaternityleave paternityleave \
         onpaternityleave parentalleave onparentalleave familyleave medicalleave sickleave unpaidleave paidleave \
         elternzeit inelternzeit mutterschutz immutterschutz beurlaubt conge enconge congematernite congeparental \
         congepaternite congesanssolde congemaladie arretmaladie delicencia enlicencia permiso enpermiso bajamedica \
         bajapormaternidad bajaporpaternidad bajaporenfermedad incapacidad excedencia enexcedencia bajamaternal bajapaternal \
         congedo incongedo maternita inmaternita malattia inmalattia inaspettativa aspettativa congedoparentale metverlof verlof ouderschapsverlof \
         zwangerschapsverlof licenca delicenca emlicenca licencamedica licencamaternidade afastado 休職 休職中 育休 育休中 産休 産休中 \
         育児休業 育児休業中 休業中",
    ),
    (
        Employment::Ended,
        "terminated termination voluntarilyterminated involuntarilyterminated voluntarytermination \
         involuntarytermination terminatedvoluntary terminatedinvoluntary inactive inactiveemployee left leaver \
         resigned dismissed fired laidoff redundant retired deceased separated former formeremployee exemployee \
         offboarded departed exited ended contractended discharged quit relieved \
         inaktiv ausgeschieden ausgetreten inactif sorti sortie parti partie inactivo inactiva baja cesado cesada \
         despedido inattivo inattiva cessato cessata licenziato uitdienst inactief vertrokken inativo inativa \
         desligado desligada demitido demitida 退職 退職済 退職済み 退職者 退社 離職",
    ),
];

/// Answers in a column like `isActive`. They are ambiguous in other columns: `Status: yes` may mean "has left".
pub(super) const ANSWERS: [(Employment, &str); 2] = [
    (
        Employment::Active,
        "true yes y x 1 ja j oui o si s sim はい",
    ),
    (Employment::Ended, "false no n 0 nein non nao nee いいえ"),
];

/// The meaning of a status. `added` are the words of `HR_FEED_STATUSES`, in plain form. They override ours.
pub(super) fn employment(
    text: &str,
    flag: Option<Flag>,
    added: &BTreeMap<String, Employment>,
) -> Employment {
    let word = plain(text);
    let find = |words: &[(Employment, &str)]| {
        let known = |(_, known): &&(Employment, &str)| super::names::is_among(&word, known);
        words.iter().find(known).map(|(means, _)| means.clone())
    };
    let answer = || match (flag?, find(&ANSWERS)?) {
        (Flag::WorksHere, answer) => Some(answer),
        (Flag::HasLeft, Employment::Active) => Some(Employment::Ended),
        (Flag::HasLeft, _) => Some(Employment::Active),
    };
    added
        .get(&word)
        .cloned()
        .or_else(|| find(&WORDS))
        .or_else(answer)
        .unwrap_or_else(|| Employment::Unclassified(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_flag: bool) -> Employment {
        employment(text, is_flag.then_some(Flag::WorksHere), &BTreeMap::new())
    }

    #[test]
    fn unambiguous_words_are_read_in_eight_languages() {
        for text in [
            "Active",
            " ACTIVE",
            "Hired",
            "current employee",
            "Garden Leave",
            "Freigestellt",
            "On notice",
            "Beschäftigt",
            "en poste",
            "在職中",
        ] {
            assert_eq!(read(text, false), Employment::Active, "{text}");
        }
        for text in [
            "On Leave",
            "Leave",
            "LOA",
            "Maternity leave",
            "Elternzeit",
            "En congé",
            "Met verlof",
            "休職",
        ] {
            assert_eq!(read(text, false), Employment::OnLeave, "{text}");
        }
        for text in [
            "Terminated",
            "Inactive",
            "Laid-off",
            "Terminated (Voluntary)",
            "Former Employee",
            "deceased",
            "Left",
            "ausgeschieden",
            "Inactif",
            "baja",
            "cessato",
            "Uit dienst",
            "Desligado",
            "退職",
        ] {
            assert_eq!(read(text, false), Employment::Ended, "{text}");
        }
    }

    #[test]
    fn ambiguous_words_are_kept_as_written() {
        for text in [
            "Suspended",
            "Accepted",
            "pending",
            "Full-Time",
            "gekündigt",
            "T",
            "yes",
            "true",
        ] {
            let kept = Employment::Unclassified(text.to_owned());
            assert_eq!(read(text, false), kept);
        }
    }

    #[test]
    fn yes_and_no_count_only_in_a_column_that_asks() {
        assert_eq!(read("TRUE", true), Employment::Active);
        assert_eq!(read("Nein", true), Employment::Ended);
        assert_eq!(read("0", true), Employment::Ended);
        let left = |text| employment(text, Some(Flag::HasLeft), &BTreeMap::new());
        assert_eq!(
            (left("X"), left("no")),
            (Employment::Ended, Employment::Active)
        );
        let unclassified = |text: &str| Employment::Unclassified(text.to_owned());
        assert_eq!(read("0", false), unclassified("0"));
        assert_eq!(read("maybe", true), unclassified("maybe"));
    }

    #[test]
    fn words_of_the_setting_override_ours() {
        let added = [
            ("sabbatical".to_owned(), Employment::OnLeave),
            ("active".to_owned(), Employment::Ended),
        ];
        let added = BTreeMap::from(added);
        assert_eq!(employment("Sabbatical", None, &added), Employment::OnLeave);
        assert_eq!(employment("Active", None, &added), Employment::Ended);
    }

    #[test]
    fn no_word_has_two_meanings() {
        for words in [&WORDS[..], &ANSWERS[..]] {
            let all = words.iter().flat_map(|(_, words)| words.split_whitespace());
            let mut all: Vec<&str> = all.collect();
            assert!(all.iter().all(|word| plain(word) == **word), "{all:?}");
            all.sort_unstable();
            let count = all.len();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }
}

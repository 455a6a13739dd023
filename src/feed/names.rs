//! Names of columns by meaning, in the plain form that [`plain`](super::values::plain) makes.
//!
//! English, German, French, Spanish, Italian, Dutch, Portuguese and Japanese, collected from exports of
//! Workday, BambooHR, Rippling, Gusto, ADP, Personio, HiBob, Frappe, Factorial and SAP, and from SCIM.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::model::Meaning;

/// Names of each field in groups that bars separate, best group first. A later group counts only if no column has a name
/// of an earlier group. Two columns of one group are a tie that only a person can break. `status` and `other_email` have
/// no ties, because all their columns are read.
///
/// SCIM's `id` is the directory's own id, and its `externalId` is the id that HR assigned. BambooHR's `bestEmail` is the
/// home address of an employee without a work address. `Terminated on` is usually the instant of the entry.
pub(super) const FIELDS: [(Meaning, &str); 12] = [
    (
        Meaning::PersonId,
        "employeeid workerid associateid personid personnelid staffid teammemberid colleagueid eeid empid hrid \
         mitarbeiterid personalid idemploye identifiantemploye idempleado iddipendente medewerkerid idcolaborador \
         idfuncionario 社員id 従業員id \
         | employeenumber workernumber personnelnumber staffnumber associatenumber payrollnumber empnumber employeeno \
         personnelno staffno empno employeecode empcode payrollid filenumber fileno displayemployeeid \
         employeeidincompany workemployeeidincompany personalnummer personalnr mitarbeiternummer mitarbeiternr \
         matricule numeromatricule numeroemploye numeroempleado numerodeempleado legajo matricola numeromatricola \
         numerodipendente codicedipendente personeelsnummer medewerkernummer matricula numerodematricula \
         numerofuncionario 社員番号 従業員番号 職員番号 社員コード 従業員コード 職員コード \
         | externalid userid workdayid | id",
    ),
    (
        Meaning::Name,
        "name | fullname | employeename | workername | associatename | personname | staffname | displayname \
         | preferredname | legalname | fulllegalname | nameformatted | formattedname | payrollname \
         | mitarbeitername vollstandigername nomcomplet nomprenom nometprenom nombrecompleto nombreyapellidos \
         nomecompleto nomeecognome cognomeenome naam volledigenaam 氏名 名前 社員名 従業員名 \
         | employee | worker",
    ),
    (
        Meaning::Email,
        "workemail workemailaddress employeeworkemail employeeworkemailaddress primaryworkemail \
         primaryworkemailaddress emailprimarywork emailwork workmail workcontactworkemail companyemail \
         companyemailaddress businessemail businessemailaddress corporateemail corporateemailaddress officeemail \
         officialemail dienstlicheemail dienstlicheemailadresse emaildienstlich geschaftlicheemail emailgeschaftlich \
         firmenemail emailprofessionnel emailpro adresseemailprofessionnelle courrielprofessionnel emailcorporativo \
         correocorporativo correodetrabajo correolaboral emaildetrabajo emaillaboral emailempresa emailaziendale \
         emaildilavoro mailaziendale werkemail werkemailadres zakelijkeemail zakelijkemailadres emailprofissional \
         emaildaempresa 会社メール 会社メールアドレス 業務用メールアドレス 社用メールアドレス \
         | email emailaddress emailid mail primaryemail primaryemailaddress emailprimary employeeemail workeremail \
         useremail emailadresse mailadresse adresseemail adressemail courriel adresseelectronique correo \
         correoelectronico direcciondecorreo direcciondecorreoelectronico postaelettronica indirizzoemail emailadres \
         mailadres enderecodeemail correioeletronico メール メールアドレス eメール eメールアドレス \
         | emails emailaddresses workemails emailsemail emailsaddress emailsemailaddress \
         | userprincipalname upn bestemail",
    ),
    (
        Meaning::OtherEmail,
        "homeemail homeemailaddress personalemail personalemailaddress privateemail privateemailaddress \
         primarypersonalemail primaryhomeemail emailhome emailpersonal personalcontactpersonalemail homemail \
         secondaryemail secondaryemailaddress secondemail alternateemail alternateemailaddress alternativeemail \
         altemail otheremail otheremails otheremailaddress additionalemail additionalemails emailalias emailaliases \
         aliases alias proxyaddresses formeremail previousemail email2 nonworkemail privatemail privateemailadresse \
         emailprivat emailpersonnel courrielpersonnel adresseemailpersonnelle correopersonal emailpersonale \
         emailprivata priveemail priveemailadres emailprive emailpessoal 個人メール 個人メールアドレス",
    ),
    (
        Meaning::Start,
        "startdate | employmentstartdate | mostrecenthiredate | latesthiredate | hiredate | dateofhire | hiredon \
         | joiningdate | dateofjoining | joindate | joinedon \
         | eintrittsdatum eintritt einstellungsdatum datedentree dateentree datedembauche dateembauche fechadealta \
         fechaalta fechadeingreso fechaingreso fechadecontratacion dataassunzione datadiassunzione datumindienst \
         indienst indiensttreding datumindiensttreding dataadmissao datadeadmissao 入社年月日 入社日 採用年月日 採用日 \
         | startdatum datededebut datedebut fechadeinicio fechainicio datainizio datadiinizio datainicio datadeinicio \
         開始日 \
         | contractstartdate vertragsbeginn | originalhiredate | originalstartdate | start",
    ),
    (
        Meaning::End,
        "terminationdate termdate dateoftermination terminationeffectivedate effectiveterminationdate \
         statusterminationdate employmentterminationdate separationdate dateofseparation leavingdate leaverdate \
         dateofleaving dateleft exitdate dateofexit departuredate relievingdate dateofrelieving austrittsdatum \
         austritt austrittam austrittper datumaustritt entlassungsdatum datedesortie datesortie datededepart \
         datedepart fechadebaja fechabaja fechadesalida fechasalida fechadecese fechacese fechadeegreso \
         datacessazione datadicessazione datauscita datadiuscita datafinerapporto datumuitdienst uitdienst \
         uitdienstdatum datumuitdiensttreding uitdiensttreding datadedesligamento datadesligamento datadesaida \
         datasaida datadedemissao datademissao datarescisao datadarescisao 退職年月日 退職日 退社年月日 退社日 離職年月日 離職日 \
         | enddate dateend employmentenddate employmentend workenddate enddateofemployment endofemployment endofwork \
         offboardingdate left lefton end enddatum beschaftigungsende datedefin datefin fechadefin fechafin datafine \
         datadifine einddatum datafim datadefim datatermino 終了日 \
         | contractenddate contractend endofcontract contractexpirydate vertragsende vertragsendedatum \
         datedefindecontrat datefindecontrat datefincontrat findecontrat fechadefindecontrato fechafindecontrato \
         fechafincontrato findecontrato datafinecontratto finecontratto scadenzacontratto einddatumcontract \
         contracteinddatum eindecontract datafimcontrato datadefimdecontrato datafimdocontrato fimdocontrato 契約終了日 \
         契約満了日 \
         | terminatedon terminatedat",
    ),
    (
        Meaning::LastDay,
        "lastdayofwork lastworkingday lastworkday lastdayworked lastdayatwork lastdateworked lastworkingdate \
         finaldayofwork finalworkingday statusterminationlastdayofwork terminationlastdayofwork letzterarbeitstag \
         letzterarbeitstagam dernierjourtravaille dernierjourdetravail ultimodiatrabajado ultimodiadetrabajo \
         ultimodialaborable ultimogiornodilavoro ultimogiornolavorativo ultimogiornolavorato laatstewerkdag \
         ultimodiatrabalhado ultimodiadetrabalho 最終出社日 最終出勤日 最終勤務日 \
         | lastday lastdayofemployment letztertag dernierjour ultimodia ultimogiorno laatstedag",
    ),
    (
        Meaning::Status,
        "status employmentstatus workerstatus employeestatus personstatus associatestatus positionstatus hrstatus \
         employmentstate lifecyclestatus activestatus beschaftigungsstatus mitarbeiterstatus statutemploye \
         statutdusalarie estadoempleado estadodelempleado statodipendente medewerkerstatus situacaofuncional 在籍状況 \
         在籍区分 雇用状況 \
         | statut estado situacion estatus stato situacao ステータス 状態",
    ),
    (Meaning::Status, FLAGS),
    (Meaning::Status, LEFT_FLAGS),
    (
        Meaning::Location,
        "location | worklocation | locationname | officelocation | office | officename | worksite | site | workplace \
         | standort | arbeitsort | lieudetravail | centrodetrabajo | sede | luogodilavoro | werklocatie | vestiging \
         | locatie | localdetrabalho | 勤務地 | workcountry | country | city",
    ),
    (
        Meaning::Zone,
        "timezone worktimezone locationtimezone ianatimezone timezoneid timezonename zeitzone fuseauhoraire \
         zonahoraria husohorario fusoorario tijdzone fusohorario タイムゾーン \
         | tz | zone",
    ),
];

/// Names of columns that answer "does this person work here?" with yes or no.
pub(super) const FLAGS: &str = "isactive active activeflag activeemployee isactiveemployee currentlyactive \
     isemployed currentlyemployed aktiv istaktiv actif estactif activo attivo actief ativo";

/// Names of columns that answer "has this person left?" with yes or no.
pub(super) const LEFT_FLAGS: &str = "terminated isterminated leaver isleaver hasleft isleft deactivated isdeactivated \
     isinactive offboarded isoffboarded leftcompany ausgeschieden istausgeschieden istinaktiv";

/// First names, best first, for files without a column of whole names.
pub(super) const GIVEN_NAMES: &str = "preferredfirstname firstname givenname namegivenname legalfirstname forename \
     vorname prenom nombre nome voornaam 名";

/// Last names, best first.
pub(super) const FAMILY_NAMES: &str = "preferredlastname lastname surname familyname namefamilyname legallastname \
     nachname familienname nom nomdefamille apellidos apellido cognome achternaam sobrenome 姓";

/// Columns of forms that precede the address of the person who filled in the form.
pub(super) const TIMESTAMPS: &str = "timestamp completiontime zeitstempel horodateur marcatemporal \
     informazionicronologiche tijdstempel carimbodedatahora タイムスタンプ";

/// Names of columns whose text reviewers see, and which decide nothing.
pub(super) const DISPLAYED: [(Meaning, &str); 2] = [
    (
        Meaning::Department,
        "department departmentname dept deptname homedepartment abteilung departement service nomduservice \
         departamento area reparto dipartimento afdeling setor 部署 部門 所属",
    ),
    (
        Meaning::Title,
        "jobtitle jobtitlename title positiontitle position jobname businesstitle stelle stellenbezeichnung \
         berufsbezeichnung funktion poste intituleduposte fonction puesto cargo mansione qualifica functie \
         functietitel funcao 役職 職種 職位",
    ),
];

/// Beginnings of words in names of columns that are about another person. These columns are harmless, unless the name
/// contains one of [`LEAVING`].
pub(super) const ABOUT_OTHERS: &str = "manager supervisor superior reportsto reportingto teamlead vorgesetzt fuhrungskraft responsable jefe \
     responsabile leidinggevende gestor chefe 上司 上長 hrpartner hrbp businesspartner peoplepartner recruiter \
     emergency notfall urgence emergencia emergenza noodcontact 緊急 spouse dependent nextofkin buddy mentor approver \
     sponsor";

/// Beginnings of words in names of dates that are not the end of work, unless the name contains one of [`LEAVING`].
pub(super) const HARMLESS: &str = "birth dob geburt naissance nacimiento nascita geboorte nascimento 生年月日 誕生日 \
     probation probezeit trial essai periododeprueba prova proeftijd experiencia 試用 \
     visa visum passport passeport pasaporte passaporto paspoort reisepass permit aufenthaltstitel 在留 \
     anniversary jubilaum anniversaire aniversario 記念日 \
     marital civilstat familienstand etatcivil situationfamiliale estadocivil statocivile burgerlijke 婚姻";

/// The same, unless the name contains one of [`ENDING`]: `Service Date` is the start of seniority, and `End of Service`
/// is not.
pub(super) const HARMLESS_UNLESS_ENDING: &str = "hire hiring rehire wiedereintritt join onboard seniority service review appraisal created \
     creation changed change modified updated update eintritt einstellung dienstalter betriebszugehorigkeit \
     erstellt geandert aktualisiert embauche anciennete cree modifie miseajour fechadealta ingreso antiguedad creado \
     modificado actualizado assunzione anzianita creato aggiornato indienst aangemaakt gewijzigd bijgewerkt admissao \
     antiguidade criado alterado atualizado anderung aktualisierung modifica actualiza aggiornamento wijziging \
     atualizacao alteracao creacion criacao 入社 採用 勤続 作成 更新 変更";

/// Parts of names of columns that may be the end of work.
pub(super) const ENDING: &str = "end exit leav left terminat separat resign depart lastday lastwork finalday offboard \
     status austritt ende sortie salida baja cese cessazion uscita uitdienst vertrek deslig saida demiss rescis 退";

/// Parts of names of columns that are about leaving, whatever the rest of the name.
pub(super) const LEAVING: &str = "exit leav left terminat separat resign depart lastday lastwork finalday offboard \
     austritt sortie salida baja cese cessazion uscita uitdienst vertrek deslig saida demiss rescis 退";

/// Parts of names of columns in which a number of five digits may be the day number of a spreadsheet.
pub(super) const DATED: &str = "date datum fecha data day tag jour dia giorno dag end fin until bis exit leav left term \
     austritt sortie baja salida uscita saida 日";

/// Names of lists of people.
pub(super) const PEOPLE: &str = "employees employee workers worker contractors contingentworkers leavers terminated \
     terminations former people persons person staff users members associates personnel colleagues alumni offboarded \
     mitarbeiter mitarbeitende employes salaries empleados dipendenti medewerkers funcionarios colaboradores \
     社員 従業員 退職者";

/// Names of lists that do not describe their content.
pub(super) const CONTAINERS: &str = "data results records rows items edges nodes resources value values list entries \
     content elements reportentry report";

/// Words and local parts of addresses that people and systems write for "no address".
pub(super) const NO_ADDRESS: &str = "noemail nomail noemailaddress noaddress none noreply donotreply unknown placeholder \
     na tbd tba xxx xx notavailable notapplicable notprovided notassigned null \
     keine kein keineemail keinemail unbekannt aucun aucune pasdemail pasdemel sansemail inconnu \
     ninguno ninguna sinmail sinemail sincorreo nessuno nessuna nessunaemail geen geenemail geenmail \
     nenhum nenhuma sememail semmail なし 無し 無";

/// Words that people and systems write for a missing id.
pub(super) const NO_ID: &str = "na tbd tba unknown none null pending notassigned notavailable unbekannt inconnu \
     desconocido sconosciuto onbekend desconhecido 不明 なし";

/// Each name of a field, with the field and the group of the name.
static FIELD_OF: LazyLock<HashMap<&str, (Meaning, usize)>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for field in Meaning::ALL {
        for (group, names) in groups(*field).enumerate() {
            known.extend(names.split_whitespace().map(|name| (name, (*field, group))));
        }
    }
    known
});

static NO_ADDRESS_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| NO_ADDRESS.split(' ').collect());

/// The groups of names of a field, best first.
pub(super) fn groups(field: Meaning) -> impl Iterator<Item = &'static str> {
    let of_field = FIELDS.iter().filter(move |(of, _)| *of == field);
    of_field.flat_map(|(_, groups)| groups.split(" | "))
}

/// The field of a name in plain form, and the group of the name.
pub(super) fn field_of(name: &str) -> Option<(Meaning, usize)> {
    FIELD_OF.get(name).copied()
}

/// Whether a word in plain form means "no address".
pub(super) fn is_no_address(word: &str) -> bool {
    NO_ADDRESS_SET.contains(word)
}

/// Whether `name` is one of `names`, which are separated by blanks.
pub(super) fn is_among(name: &str, names: &str) -> bool {
    names.split(' ').any(|known| known == name)
}

/// Whether a word of a name begins with one of `parts`. A long part, or one in a script without blanks, may be anywhere.
pub(super) fn has_word(name: &str, words: &[String], parts: &str) -> bool {
    let is_distinct = |part: &str| part.len() > 7 || !part.is_ascii();
    parts.split_whitespace().any(|part| {
        words.iter().any(|word| word.starts_with(part)) || is_distinct(part) && name.contains(part)
    })
}

/// Whether a text contains one of `parts`, which are separated by blanks.
pub(super) fn has_part(text: &str, parts: &str) -> bool {
    parts.split(' ').any(|part| text.contains(part))
}

//! An HR system with its own connection, and its employees.

use serde_json::{Map, Value, json};

use crate::pages::Rows;
use crate::people;
use crate::shape::{Envelope, Permission};
use crate::world::World;

/// An HR system that is connected as well as Asana. The world defines how its list is wrapped and
/// how it ends, as for every list.
#[derive(Clone, Debug, PartialEq)]
pub struct Hris {
    /// Its employees, in the order of the list.
    pub employees: Vec<Employee>,
    /// Truto's name of the integration.
    pub integration: String,
    /// The state of the connection; any word. Data requests succeed only in `active`.
    pub connection_status: String,
    /// Whether employees may be read.
    pub permission: Permission,
    /// The value of `is_partial_response` in the list.
    pub partial_response: bool,
    /// Whether every page after the first returns the cursor of its own request.
    pub repeated_cursor: bool,
    /// How many of the first rows are repeated at the end of the list.
    pub duplicate_rows: usize,
    /// Whether the list ends with a row that has no `id`.
    pub row_without_id: bool,
}

/// An employee in the HR system, as Truto's unified employee. Any field can have any value.
///
/// For example `Employee::new("17", "Ada Lovelace", "ada@example.com").left("2026-10-31")`.
#[derive(Clone, Debug, PartialEq)]
pub struct Employee {
    /// The fields of the record.
    pub fields: Map<String, Value>,
}

impl Default for Hris {
    fn default() -> Self {
        Self::new()
    }
}

impl Hris {
    /// A healthy HR system without employees.
    pub fn new() -> Self {
        Self {
            employees: Vec::new(),
            integration: "bamboohr".to_owned(),
            connection_status: "active".to_owned(),
            permission: Permission::Granted,
            partial_response: false,
            repeated_cursor: false,
            duplicate_rows: 0,
            row_without_id: false,
        }
    }

    /// A healthy HR system with the first `employees` of the generated people. Those whose number
    /// ends with 9 have an inactive account, and left in 2020.
    pub fn generated(employees: usize) -> Self {
        let employee = |number: usize| {
            let person = people::generated(number);
            let email = person.email.unwrap_or_default();
            let employee = Employee::new(&number.to_string(), &person.name, &email);
            if number % 10 == 9 {
                employee.left("2020-01-31")
            } else {
                employee
            }
        };
        Self::new().employees((1..=employees).map(employee))
    }

    /// Adds an employee at the end of the list.
    pub fn employee(mut self, employee: Employee) -> Self {
        self.employees.push(employee);
        self
    }

    /// Adds several employees at the end of the list.
    pub fn employees(mut self, employees: impl IntoIterator<Item = Employee>) -> Self {
        self.employees.extend(employees);
        self
    }

    /// Sets any field in the middle of a chain.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Employee {
    /// An employee who works there.
    pub fn new(number: &str, name: &str, email: &str) -> Self {
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        let employee = Self { fields: Map::new() }
            .field("id", json!(format!("emp-{number}")))
            .field("employee_number", json!(number))
            .field("first_name", json!(first))
            .field("last_name", json!(last))
            .field("name", json!(name))
            .field("job_title", json!("Engineer"))
            .field(
                "groups",
                json!([
                    {"id": "t1", "name": "Platform", "type": "team"},
                    {"id": "d1", "name": "Research", "type": "department"},
                ]),
            )
            .field(
                "emails",
                json!([{"email": email, "type": "work", "is_primary": true}]),
            )
            .field("employment_status", json!("active"))
            .field("start_date", json!("2019-04-01"))
            .field("termination_date", Value::Null)
            .field("work_location", json!({"id": "1", "name": "Berlin"}));
        let remote = json!({"payRate": "4200.00 EUR", "dateOfBirth": "1990-01-01"});
        employee
            .employments(&[("2019-04-01", None)])
            .field("remote_data", remote)
    }

    /// Makes the employee a leaver: inactive, with the day in the record and in the employment.
    pub fn left(self, day: &str) -> Self {
        self.field("employment_status", json!("inactive"))
            .field("termination_date", json!(day))
            .employments(&[("2019-04-01", Some(day))])
    }

    /// Sets the first and the last day of each employment.
    pub fn employments(self, employments: &[(&str, Option<&str>)]) -> Self {
        let one = |(effective, end): &(&str, Option<&str>)| {
            json!({
                "effective_date": effective,
                "end_date": end,
                "employment_type": "full_time",
            })
        };
        self.field("employments", employments.iter().map(one).collect())
    }

    /// Sets a field.
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Removes a field.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.remove(name);
        self
    }
}

/// The rows of the list of employees.
pub(crate) fn employees(world: &World, hris: &Hris, with_remote_data: bool) -> Rows {
    let mut rows = Rows::default();
    let again = hris.employees.iter().take(hris.duplicate_rows);
    let listed = hris.employees.iter().chain(again);
    let nobody = Employee {
        fields: Map::from_iter([("name".to_owned(), json!("Nobody"))]),
    };
    let nobody = hris.row_without_id.then_some(&nobody);
    for employee in listed.chain(nobody) {
        let mut fields = employee.fields.clone();
        if !with_remote_data {
            fields.remove("remote_data");
        }
        let row = Value::Object(fields);
        let key = match world.envelope {
            Envelope::Keyed => format!("{}:", json!(row["id"].as_str().unwrap_or_default())),
            Envelope::Result | Envelope::Results => String::new(),
        };
        rows.push(format!("{key}{row}").as_bytes());
    }
    rows
}

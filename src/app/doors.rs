//! Which doors stand open to the internet? Those of the services that are set up; each checks by itself who knocks.

use crate::web::PostDoor;

use super::run::Run;
use super::{AppError, sms_door, unsubscribe};

impl Run<'_> {
    /// The doors of this run.
    pub(super) fn doors(&self) -> Result<Vec<PostDoor>, AppError> {
        let mut doors = Vec::new();
        if self.environment.public_url.is_some() {
            let people = self.config.people.iter().filter(|one| one.email.is_some());
            let people = people.map(|one| one.person.name.clone()).collect();
            let (store, clock) = (self.store.clone(), self.clock.clone());
            doors.push(unsubscribe::door(store.button_key()?, people, store, clock));
        }
        let sms = self.phones.iter().filter(|phones| phones.signed.is_some());
        doors.extend(sms.flat_map(|phones| sms_door::doors(phones, &self.store, &self.clock)));
        Ok(doors)
    }
}

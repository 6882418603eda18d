//! Which doors stand open to the internet? Those of the services that are set up; each checks by itself who knocks.

use crate::web::PostDoor;

use super::run::Run;
use super::sms_door;

impl Run<'_> {
    /// The doors of this run.
    pub(super) fn doors(&self) -> Vec<PostDoor> {
        let sms = self.phones.iter().filter(|phones| phones.signed.is_some());
        sms.flat_map(|phones| sms_door::doors(phones, &self.store, &self.clock)).collect()
    }
}

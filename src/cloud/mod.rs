//! What the rules of clouds mean, in whichever file they are written: permissions of AWS and OpenStack to rules.
//!
//! Readers of Terraform, CloudFormation, Heat and recorded answers of the APIs say what was written where; here is what it
//! lets through. INVARIANT: nothing here knows a file format.

//! Terraform: one file of security groups, and a repository of root modules that call shared ones.
//! INVARIANT: a repository of `n` roots has 48 files of modules and five of each root, and every root opens SSH to the world once.

use std::fmt::Write as _;
use std::path::Path;

use super::random::Random;

/// Shared modules, each of four files.
const N_MODULES: usize = 12;

/// Groups of its own that each root has.
const N_GROUPS: usize = 5;

/// Other resources of a root, which have nothing to do with openings.
const N_OTHERS: usize = 21;

/// One file with `n_groups` security groups of a few rules each.
pub(crate) fn groups(n_groups: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = String::new();
    for group in 0..n_groups {
        let _ = writeln!(text, "resource \"aws_security_group\" \"group_{group}\" {{");
        let _ = writeln!(text, "  name = \"group-{group}\"");
        for _ in 0..=random.below(3) {
            rule(&mut text, "ingress", &mut random);
        }
        rule(&mut text, "egress", &mut random);
        text.push_str("}\n\n");
    }
    text
}

fn rule(text: &mut String, direction: &str, random: &mut Random) {
    let port = 1024 + random.below(40_000);
    let network = format!("10.{}.{}.0/24", random.below(256), random.below(256));
    let _ = writeln!(
        text,
        "  {direction} {{\n    from_port   = {port}\n    to_port     = {port}\n    protocol    = \"tcp\"\n    cidr_blocks = [\"{network}\"]\n  }}"
    );
}

/// The files of a repository, by their paths: `n_roots` environments that call a few of the shared modules.
pub(crate) fn repository(n_roots: usize, seed: u64) -> Vec<(String, String)> {
    let mut random = Random::new(seed);
    let mut files = Vec::new();
    for module in 0..N_MODULES {
        let path = |file: &str| format!("modules/service-{module}/{file}.tf");
        files.push((path("main"), module_main(module)));
        files.push((path("rules"), MODULE_RULES.to_owned()));
        files.push((path("variables"), MODULE_VARIABLES.to_owned()));
        files.push((path("outputs"), MODULE_OUTPUTS.to_owned()));
    }
    for root in 0..n_roots {
        let path = |file: &str| format!("live/environment-{root}/{file}");
        files.push((path("main.tf"), root_main(&mut random)));
        files.push((path("variables.tf"), ROOT_VARIABLES.to_owned()));
        files.push((path("terraform.tfvars"), root_values(root, &mut random)));
        files.push((path("groups.tf"), root_groups(&mut random)));
        files.push((path("storage.tf"), root_others(&mut random)));
    }
    files
}

/// Writes a repository below a folder.
pub(crate) fn write(folder: &Path, n_roots: usize, seed: u64) -> std::io::Result<()> {
    for (name, text) in repository(n_roots, seed) {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn module_main(module: usize) -> String {
    format!(
        r#"locals {{
  name  = "${{var.environment}}-service-{module}"
  ports = {{ for name, port in var.ports : name => port if port > 0 }}
  rules = flatten([
    for name, port in local.ports : [
      for block in concat(var.networks, var.extra_networks) : {{
        key  = "${{name}}-${{block}}"
        port = port
        cidr = block
      }}
    ]
  ])
}}

resource "aws_security_group" "this" {{
  count       = var.create ? 1 : 0
  name        = local.name
  description = "Service {module}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, {{ Name = local.name }})

  dynamic "ingress" {{
    for_each = local.ports
    iterator = port
    content {{
      description = port.key
      from_port   = port.value
      to_port     = port.value
      protocol    = "tcp"
      cidr_blocks = var.networks
    }}
  }}

  lifecycle {{
    create_before_destroy = true
  }}
}}
"#
    )
}

const MODULE_RULES: &str = r#"resource "aws_security_group_rule" "each" {
  for_each          = var.create ? { for rule in local.rules : rule.key => rule } : {}
  type              = "ingress"
  security_group_id = aws_security_group.this[0].id
  from_port         = each.value.port
  to_port           = each.value.port
  protocol          = "tcp"
  cidr_blocks       = [each.value.cidr]
}

resource "aws_security_group_rule" "members" {
  count             = var.create && var.open_to_members ? 1 : 0
  type              = "ingress"
  security_group_id = aws_security_group.this[0].id
  from_port         = 0
  to_port           = 0
  protocol          = "-1"
  self              = true
}

resource "aws_vpc_security_group_egress_rule" "all" {
  count             = var.create ? 1 : 0
  security_group_id = aws_security_group.this[0].id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
"#;

const MODULE_VARIABLES: &str = r#"variable "create" {
  type    = bool
  default = true
}

variable "environment" {
  type = string
}

variable "vpc_id" {
  type    = string
  default = null
}

variable "ports" {
  type    = map(number)
  default = { http = 80, https = 443 }
}

variable "networks" {
  type = list(string)
}

variable "extra_networks" {
  type    = list(string)
  default = []
}

variable "open_to_members" {
  type    = bool
  default = true
}

variable "tags" {
  type    = map(string)
  default = {}
}
"#;

const MODULE_OUTPUTS: &str = r#"output "security_group_id" {
  value = try(aws_security_group.this[0].id, "")
}

output "name" {
  value = local.name
}
"#;

const ROOT_VARIABLES: &str = r#"variable "environment" {
  type = string
}

variable "vpc_cidr" {
  type = string
}

variable "office" {
  type    = list(string)
  default = ["192.0.2.0/24"]
}

variable "admins" {
  type    = list(string)
  default = ["0.0.0.0/0"]
}

variable "ports" {
  type    = map(number)
  default = {}
}

locals {
  tags = {
    environment = var.environment
    managed_by  = "terraform"
  }
  subnets = [for index in range(4) : cidrsubnet(var.vpc_cidr, 8, index)]
}
"#;

fn root_main(random: &mut Random) -> String {
    let mut text = String::from(
        "terraform {\n  required_version = \">= 1.5\"\n}\n\nresource \"aws_vpc\" \"main\" {\n  cidr_block = var.vpc_cidr\n  tags       = local.tags\n}\n\n",
    );
    for call in 0..4 {
        let module = (random.index(N_MODULES / 4)) * 4 + call;
        let module = module % N_MODULES;
        let _ = write!(
            text,
            r#"module "service_{call}" {{
  source = "../../modules/service-{module}"

  environment    = var.environment
  vpc_id         = aws_vpc.main.id
  networks       = local.subnets
  extra_networks = var.office
  ports          = merge({{ service = {port} }}, var.ports)
  tags           = local.tags
}}

"#,
            port = 8000 + random.below(1000)
        );
    }
    text
}

fn root_values(root: usize, random: &mut Random) -> String {
    format!(
        "environment = \"environment-{root}\"\nvpc_cidr    = \"10.{}.0.0/16\"\noffice      = [\"198.51.100.0/24\", \"203.0.113.{}/32\"]\nports = {{\n  metrics = 9100\n  admin   = {}\n}}\n",
        root % 256,
        random.below(256),
        9200 + random.below(100)
    )
}

fn root_groups(random: &mut Random) -> String {
    let mut text = String::from(
        r#"resource "aws_security_group" "bastion" {
  name   = "${var.environment}-bastion"
  vpc_id = aws_vpc.main.id

  ingress {
    description = "administration"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = var.admins
  }
}

"#,
    );
    for group in 0..N_GROUPS {
        let _ = write!(
            text,
            r#"resource "aws_security_group" "group_{group}" {{
  name   = "${{var.environment}}-group-{group}"
  vpc_id = aws_vpc.main.id
  tags   = merge(local.tags, {{ group = "{group}" }})

  ingress {{
    from_port       = {port}
    to_port         = {port}
    protocol        = "tcp"
    security_groups = [module.service_{call}.security_group_id]
  }}

  ingress {{
    from_port   = {port} + 1
    to_port     = {port} + 10
    protocol    = "tcp"
    cidr_blocks = [cidrsubnet(var.vpc_cidr, 4, {group})]
  }}

  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}

"#,
            port = 1024 + random.below(40_000),
            call = group % 4,
        );
    }
    text
}

/// Resources that no opening depends on: most of a repository is such.
fn root_others(random: &mut Random) -> String {
    let mut text = String::new();
    for other in 0..N_OTHERS {
        let _ = write!(
            text,
            r#"resource "aws_s3_bucket" "bucket_{other}" {{
  bucket        = "${{var.environment}}-bucket-{other}-{number}"
  force_destroy = false
  tags          = merge(local.tags, {{ bucket = "{other}" }})

  lifecycle {{
    prevent_destroy = true
  }}
}}

"#,
            number = random.below(100_000)
        );
    }
    text
}

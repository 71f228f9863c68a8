# SPDX-License-Identifier: Apache-2.0
"""
What service-linked roles are called (IAM User Guide, "AWS services that work with IAM", and each service's page on its
role). Services chose these names, so there is a table; for others, a rule that fits most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from daypass.errors import EntityError, Reason

NAME_PREFIX: Final = "AWSServiceRoleFor"
LONGEST_NAME: Final = 64
"""IAM API, roleNameType."""

_DOMAIN: Final = ".amazonaws.com"
_SERVICE: Final = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*\.amazonaws\.com", re.ASCII)

_NAMES: Final[Mapping[str, str]] = {
    "access-analyzer": "AccessAnalyzer",
    "autoscaling": "AutoScaling",
    "backup": "Backup",
    "batch": "Batch",
    "cloudtrail": "CloudTrail",
    "config": "Config",
    "custom-resource.application-autoscaling": "ApplicationAutoScaling_CustomResource",
    "dax": "DAX",
    "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
    "ec2.application-autoscaling": "ApplicationAutoScaling_EC2SpotFleetRequest",
    "ecs": "ECS",
    "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
    "eks": "AmazonEKS",
    "eks-fargate": "AmazonEKSForFargate",
    "eks-nodegroup": "AmazonEKSNodegroup",
    "elasticache": "ElastiCache",
    "elasticbeanstalk": "ElasticBeanstalk",
    "elasticfilesystem": "AmazonElasticFileSystem",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "es": "AmazonElasticsearchService",
    "globalaccelerator": "GlobalAccelerator",
    "guardduty": "AmazonGuardDuty",
    "inspector2": "AmazonInspector2",
    "kafka": "Kafka",
    "lex": "LexBots",
    "lexv2": "LexV2Bots",
    "macie": "AmazonMacie",
    "opensearchservice": "AmazonOpenSearchService",
    "ops.apigateway": "APIGateway",
    "organizations": "Organizations",
    "rds": "RDS",
    "rds.application-autoscaling": "ApplicationAutoScaling_RDSCluster",
    "redshift": "Redshift",
    "replication.dynamodb": "DynamoDBReplication",
    "replication.ecr": "ECRReplication",
    "securityhub": "SecurityHub",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
    "ssm": "AmazonSSM",
    "sso": "SSO",
    "support": "Support",
    "transitgateway": "VPCTransitGateway",
    "trustedadvisor": "TrustedAdvisor",
}

_WITH_SUFFIX: Final = frozenset({"autoscaling", "elasticbeanstalk", "lexv2"})
"""Those of the table that may have more than one role, told apart by a suffix. Of others it is not known: they may."""


def role_name(service: str, suffix: str | None) -> str:
    """
    The name of the role of a service: ``AWSServiceRoleForAutoScaling_debug`` for the suffix ``debug``. A service that is not
    in the table is called by its labels, the last first, as those of application autoscaling are.

    Raises EntityError for what is no name of a service, a suffix that its service does not take, and names too long.
    """
    if _SERVICE.fullmatch(service) is None:
        raise EntityError(Reason.INVALID_INPUT, f"The service name {service} is not valid.")
    name = service.removesuffix(_DOMAIN)
    if suffix is not None and name in _NAMES and name not in _WITH_SUFFIX:
        raise EntityError(Reason.INVALID_INPUT, f"Custom suffix is not allowed for {service}")
    whole = NAME_PREFIX + _NAMES.get(name, _by_rule(name)) + ("" if suffix is None else f"_{suffix}")
    if len(whole) > LONGEST_NAME:
        message = f"The role name {whole} is longer than {LONGEST_NAME} characters."
        raise EntityError(Reason.INVALID_INPUT, message)
    return whole


def _by_rule(name: str) -> str:
    labels = reversed(name.split("."))
    return "_".join("".join(word[0].upper() + word[1:] for word in label.split("-")) for label in labels)

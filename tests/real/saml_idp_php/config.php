<?php
// SPDX-License-Identifier: Apache-2.0
// SimpleSAMLphp for tests: everything that differs from run to run stands in settings.json beside this file, which
// each request reads again.

$folder = getenv('SIMPLESAMLPHP_CONFIG_DIR');
$settings = json_decode(file_get_contents("$folder/settings.json"), true);

$config = [
    'baseurlpath' => $settings['url'] . '/',
    'certdir' => $folder,
    'loggingdir' => $folder,
    'datadir' => $folder,
    'tempdir' => "$folder/temporary",
    'metadatadir' => $folder,
    'technicalcontact_name' => 'Tests',
    'technicalcontact_email' => 'tests@example.org',
    'timezone' => 'UTC',
    'secretsalt' => 'only for tests',
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'admin.checkforupdates' => false,
    'logging.level' => SimpleSAML\Logger::INFO,
    'logging.handler' => 'errorlog',
    'errorreporting' => false,
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.cookie.samesite' => 'Lax',
    'session.phpsession.savepath' => "$folder/sessions",
    'language.available' => ['en'],
    'language.default' => 'en',
    'language.cookie.secure' => false,
    'language.cookie.samesite' => 'Lax',
    'production' => true,
    'authproc.idp' => [],
    'metadata.sources' => array_merge(
        [['type' => 'flatfile']],
        // What a service provider publishes is read as it is, by SimpleSAMLphp's own parser.
        array_map(fn($file) => ['type' => 'xml', 'file' => $file], glob("$folder/service-provider-*.xml"))
    ),
    'store.type' => 'phpsession',
];

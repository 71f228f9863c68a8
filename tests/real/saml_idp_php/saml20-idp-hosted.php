<?php
// SPDX-License-Identifier: Apache-2.0
// The identity provider itself. What a test changes (what is signed, with which key, encryption) stands in settings.json.

$settings = json_decode(file_get_contents(getenv('SIMPLESAMLPHP_CONFIG_DIR') . '/settings.json'), true);

$metadata['__DYNAMIC:1__'] = $settings['hosted'] + [
    'host' => '__DEFAULT__',
    'auth' => 'people',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'authproc' => [10 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid']],
];

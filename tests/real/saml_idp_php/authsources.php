<?php
// SPDX-License-Identifier: Apache-2.0
// People with passwords and attributes, from settings.json: the example module's own sign-in form.

$settings = json_decode(file_get_contents(getenv('SIMPLESAMLPHP_CONFIG_DIR') . '/settings.json'), true);

$config = ['people' => ['exampleauth:UserPass']];
foreach ($settings['people'] as $name => $attributes) {
    $config['people'][$name . ':' . $settings['password']] = ['uid' => [$name]] + $attributes;
}

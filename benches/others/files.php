<?php
// Measures the session module of PHP, with files, as src/bin/files.rs measures stores.

ini_set('session.use_cookies', '0');
ini_set('session.use_only_cookies', '0');
ini_set('session.cache_limiter', '');
ini_set('session.serialize_handler', 'php_serialize');
ini_set('session.use_strict_mode', '0');
ini_set('session.gc_probability', '0');
ini_set('session.gc_maxlifetime', '3600');

$usage = "usage: files.php VALUES operations DIR BATCHES COUNT | files.php VALUES sweep DIR COUNT\n"
    . "     | files.php VALUES calls STORE OPERATION DIR COUNT\n";
const WARM_UP = 4;
const NAME = 'PHP ' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . ' files';

function create(array $values): string
{
    $id = bin2hex(random_bytes(16));
    session_id($id);
    session_start();
    $_SESSION = $values;
    session_write_close();
    return $id;
}

function load(string $id): int
{
    session_id($id);
    session_start(['read_and_close' => true]);
    return $_SESSION['visits'];
}

function change(string $id): void
{
    session_id($id);
    session_start();
    $_SESSION['visits'] += 1;
    session_write_close();
}

function check(bool $holds, string $what): void
{
    if (!$holds) {
        fwrite(STDERR, "$what\n");
        exit(1);
    }
}

function run(string $operation, array $values, array &$ids, int $count): void
{
    for ($i = 0; $i < $count; $i++) {
        match ($operation) {
            'create' => $ids[] = create($values),
            'load' => check(load($ids[$i]) === $values['visits'], 'a session is not what was created'),
            'load, change, save' => change($ids[$i]),
        };
    }
}

// Returns the lines instead of printing them, because no session can begin after the first output.
function operations(array $values, int $batches, int $count): string
{
    $lines = '';
    for ($batch = 0; $batch < WARM_UP + $batches; $batch++) {
        $ids = [];
        foreach (['create', 'load', 'load, change, save'] as $operation) {
            $start = hrtime(true);
            run($operation, $values, $ids, $count);
            $each = intdiv(hrtime(true) - $start, $count);
            if ($batch >= WARM_UP) {
                $lines .= NAME . "\t$operation\t$each\n";
            }
            if ($operation === 'create') {
                exec('sync');
            }
        }
        foreach ($ids as $id) {
            check(load($id) === $values['visits'] + 1, 'what was saved is not there');
        }
    }
    return $lines;
}

function sweep(array $values, string $dir, int $count): string
{
    for ($i = 0; $i < $count; $i++) {
        $id = create($values);
        if ($i % 2 === 0) {
            touch("$dir/sess_$id", time() - 7200);
        }
    }
    exec('sync');
    session_id(bin2hex(random_bytes(16)));
    session_start();
    $start = hrtime(true);
    $removed = session_gc();
    $took = hrtime(true) - $start;
    session_destroy();
    check($removed === intdiv($count, 2), "it removed $removed");
    return NAME . "\tsweep\t$took\n";
}

// Does operations while another program watches the system calls of this process.
function calls(string $operation, array $values, int $count): void
{
    $ids = [];
    for ($i = 0; $operation !== 'create' && $i < $count; $i++) {
        $ids[] = create($values);
    }
    $others = [];
    run('create', $values, $others, 1);
    run('load, change, save', $values, $others, 1);
    file_exists('/begin');
    run($operation, $values, $ids, $count);
    file_exists('/end');
}

$values = json_decode($argv[1] ?? 'null', true);
$what = array_slice($argv, 2);
session_save_path(($what[0] ?? '') === 'calls' ? $what[3] : $what[1] ?? '');
switch ([$what[0] ?? '', count($what)]) {
    case ['operations', 4]:
        echo operations($values, (int) $what[2], (int) $what[3]);
        break;
    case ['sweep', 3]:
        echo sweep($values, $what[1], (int) $what[2]);
        break;
    case ['calls', 5]:
        check($what[1] === NAME, 'there is ' . NAME);
        calls($what[2], $values, (int) $what[4]);
        break;
    default:
        fwrite(STDERR, $usage);
        exit(2);
}

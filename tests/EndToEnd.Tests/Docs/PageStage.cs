// On which servers does a test type the commands of a page?
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using KeyEvt.Servers;
using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Docs;

/// <summary>
/// A Redis and a keyevt for the blocks of one page. Pages name the usual ports (6379 Redis, 6380 and 6381 keyevt, 5672 RabbitMQ); here they are exchanged for those of
/// the stage, in what is typed and, back again, in what is printed. The programs keyevt, redis-cli and python3 are those that the other tests use. redis-cli prints
/// as on a terminal, unless its output goes to another program.
/// </summary>
internal sealed partial class PageStage : IAsyncDisposable
{
    /// <summary>Of the keyevt that stands ready where a page asks for no other.</summary>
    public const string UsualOptions = "--events A --keymask ALL --declare-queue events";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly PrivateFolder _folder = new("docs");
    private readonly RabbitServer _rabbit;
    private readonly RedisServer _redis;
    private readonly string _options;
    private KeyEvtProcess? _program;

    private PageStage(RabbitServer rabbit, RedisServer redis, string options) => (_rabbit, _redis, _options) = (rabbit, redis, options);

    /// <param name="options">As on a command line, in words without blanks or in quotes.</param>
    public static async Task<PageStage> SetAsync(RabbitServer rabbit, string options)
    {
        var stage = new PageStage(rabbit, await RedisServer.StartAsync(), options);
        try
        {
            stage._program = await KeyEvtProcess.StartAsync(["--upstream", stage._redis.Url, "--amqp", rabbit.Url, .. Words(options)]);
            stage.WritePrograms();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Types the command and compares; one that only asks is typed again for a while, as events take their time.</summary>
    public async Task PlayAsync(ConsoleStep step)
    {
        var printed = await TypeAsync(step.Command);
        for (var waiting = Stopwatch.StartNew(); step.OnlyAsks && !step.IsShownBy(printed) && waiting.Elapsed < Patience; printed = await TypeAsync(step.Command))
        {
            await Task.Delay(Pause);
        }

        Assert.True(step.IsShownBy(printed), $"{step.Block}: $ {step.Command}\nprints\n{printed}\nand the page says\n{string.Join('\n', step.Expected)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_program is not null)
        {
            await _program.StopAsync();
            await _program.DisposeAsync();
        }
        // The next page shall not find this one's messages.
        foreach (Match queue in DeclaredQueue().Matches(_options))
        {
            await _rabbit.Broker.UseAsync(channel => channel.QueueDeleteAsync(queue.Groups[1].Value, ifUnused: false, ifEmpty: false));
        }

        await _redis.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<string> TypeAsync(string command)
    {
        var script = _folder.Write("step.sh", $"exec 2>&1 </dev/null\nexport TERMINAL=$(readlink /proc/$$/fd/1)\ncd '{Repository.Root}'\n{Exchange(command, toStage: true)}\n");
        var result = await Run.ToEndAsync("bash", [script], environment: Environment(), deadline: TimeSpan.FromSeconds(60));
        return Exchange(result.Output, toStage: false);
    }

    private Dictionary<string, string?> Environment() => new()
    {
        ["PATH"] = $"{_folder.File("bin")}:{System.Environment.GetEnvironmentVariable("PATH")}",
        ["KEYEVT_UPSTREAM"] = _redis.Url,
        ["KEYEVT_AMQP"] = _rabbit.Url,
        ["KEYEVT_LISTEN"] = $"127.0.0.1:{Text(_program!.Port)}",
        ["KEYEVT_ADMIN"] = $"127.0.0.1:{Text(_program.AdminPort)}",
    };

    private string Exchange(string text, bool toStage)
    {
        (string Usual, string Here)[] ports = [("6379", Text(_redis.Port)), ("6380", Text(_program!.Port)), ("6381", Text(_program.AdminPort)), ("5672", Text(_rabbit.Port))];
        return Number().Replace(text, number => ports.FirstOrDefault(port => (toStage ? port.Usual : port.Here) == number.Value) is { Usual: not null } port ? toStage ? port.Here : port.Usual : number.Value);
    }

    private void WritePrograms()
    {
        Directory.CreateDirectory(_folder.File("bin"));
        WriteProgram("keyevt", $"exec {string.Join(' ', KeyEvtProcess.CommandLine.Select(word => $"'{word}'"))} \"$@\"");
        WriteProgram("redis-cli", $"form=--raw; [ \"$(readlink /proc/$$/fd/1)\" != \"$TERMINAL\" ] || form=--no-raw\nexec '{Path.GetFullPath(OnPath(ServerPrograms.RedisCli))}' $form -p {Text(_redis.Port)} \"$@\"");
        // Debian's own, for which its package python3-pika is.
        WriteProgram("python3", "exec /usr/bin/python3 \"$@\"");
    }

    private void WriteProgram(string name, string line)
    {
        var file = _folder.Write(Path.Combine("bin", name), $"#!/bin/sh\n{line}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private static string OnPath(string program) => program.Contains('/', StringComparison.Ordinal)
        ? program
        : System.Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, program)).First(File.Exists);

    private static IEnumerable<string> Words(string line) => Word().Matches(line).Select(word => word.Value.Trim('\''));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<![\d.])\d{4,5}(?![\d.])")]
    private static partial Regex Number();

    [GeneratedRegex("'[^']*'|[^' ]+")]
    private static partial Regex Word();

    [GeneratedRegex("--declare-queue ([^ ]+)")]
    private static partial Regex DeclaredQueue();
}

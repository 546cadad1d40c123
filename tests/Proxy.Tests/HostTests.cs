using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Options;
using Xunit;

namespace KeyEvt.Proxy.Tests;

/// <summary>Does the running program start, say where it listens, and stop, also when nothing it needs is there?</summary>
public sealed class HostTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly TaskCompletionSource<string> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TcpListener _taken = new(IPAddress.Loopback, 0);
    private readonly HttpClient _http = new();

    public HostTests() => _taken.Start();

    public void Dispose()
    {
        _taken.Dispose();
        _http.Dispose();
    }

    private string TakenAddress => _taken.LocalEndpoint.ToString()!;

    [Fact]
    public async Task It_prints_one_line_for_each_address_and_ends_with_0_when_asked_to()
    {
        var run = RunAsync(Options("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"));
        await OutputAsync(lines: 2);
        Assert.All(_output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches(@"^listening on 127\.0\.0\.1:[1-9]\d*\r?$", line));
        _stop.SetResult("test");
        Assert.Equal(0, await run.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Assert.Equal("", _error.ToString());
    }

    [Theory]
    [InlineData("--listen")]
    [InlineData("--admin")]
    public async Task A_taken_port_is_one_line_on_stderr_and_exit_code_1(string option)
    {
        var code = await RunAsync(Options("--listen", "127.0.0.1:0", option, TakenAddress)).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(1, code);
        Assert.Equal("", _output.ToString());
        Assert.Matches($@"^cannot listen on {TakenAddress}.*: Address already in use\r?\n$", _error.ToString());
    }

    [Fact]
    public async Task A_spool_with_something_foreign_in_it_is_one_line_on_stderr_and_exit_code_2()
    {
        var folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;
        try
        {
            var foreign = Path.Combine(folder, "an\u001b[31mother\nfile");
            await File.WriteAllTextAsync(foreign, "", TestContext.Current.CancellationToken);
            var code = await RunAsync(Options("--listen", "127.0.0.1:0", "--spool", folder)).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            Assert.Equal(2, code);
            Assert.Equal("", _output.ToString());
            Assert.Equal($"--spool {folder}: {folder}/an [31mother file is no file of a spool; move it elsewhere, or name a folder of the spool's own{Environment.NewLine}", _error.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Without_an_upstream_it_is_alive_but_not_ready_and_says_why()
    {
        var admin = FreeAddress();
        var run = RunAsync(Options("--listen", "127.0.0.1:0", "--admin", admin));
        await OutputAsync(lines: 1);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(admin, "/healthz")).Status);
        var (status, body) = await GetAsync(admin, "/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("upstream", body);
        Assert.Contains("keyevt_events_received_total 0\n", (await GetAsync(admin, "/metrics")).Body);
        _stop.SetResult("test");
        Assert.Equal(0, await run.WaitAsync(Deadline, TestContext.Current.CancellationToken));
    }

    private Task<int> RunAsync(ProxyOptions options) => Host.RunAsync(options, _output, _error, _stop.Task);

    /// <summary>An upstream and a broker that refuse; no logs.</summary>
    private static ProxyOptions Options(params string[] args)
    {
        var nobody = FreeAddress();
        var faults = new List<string>();
        string[] all = ["--upstream", $"redis://{nobody}", "--amqp", $"amqp://{nobody}", "--log-level", "none", .. args.Contains("--admin") ? [] : (string[])["--admin", "off"], .. args];
        var given = new CommandLineSource().Read(all, faults, out _, out _);
        var options = OptionPrecedence.Load(given, [], faults);
        Assert.Empty(faults);
        return options;
    }

    private async Task OutputAsync(int lines)
    {
        using var end = new CancellationTokenSource(Deadline);
        while (_output.ToString().Split('\n').Length - 1 < lines) await Task.Delay(10, end.Token);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string address, string path)
    {
        using var answer = await _http.GetAsync(new Uri($"http://{address}{path}"), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static string FreeAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket.LocalEndPoint!.ToString()!;
    }
}

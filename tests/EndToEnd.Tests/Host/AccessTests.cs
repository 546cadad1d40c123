// Who gets at what the program names: its unix sockets, its files, its admin pages?
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.Versioning;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Host;

[UnsupportedOSPlatform("windows")]
public sealed class AccessTests : IAsyncLifetime
{
    private const UnixFileMode Mode600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly PrivateFolder _folder = new("access");
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("--listen")]
    [InlineData("--admin")]
    public async Task A_file_where_a_socket_is_to_be_stays_and_the_exit_code_is_2(string option)
    {
        var path = _folder.Write("precious", "data");
        string[] admin = option == "--admin" ? [] : ["--admin", "off"];
        var result = await KeyEvtProcess.RunAsync(["--upstream", _redis.Url, "--listen", $"127.0.0.1:{FreePorts.Take()}", .. admin, "--log-level", "none", option, $"unix:{path}"]);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"cannot listen on unix:{path}: a file stands there, which is not removed: name another path, or remove it", result.Errors.Trim());
        Assert.Equal("data", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task All_unix_sockets_have_the_wanted_rights_and_one_that_was_left_behind_is_replaced()
    {
        string clients = _folder.File("clients.sock"), admin = _folder.File("admin.sock");
        string[] arguments = ["--upstream", _redis.Url, "--listen", $"unix:{clients}", "--admin", $"unix:{admin}", "--unix-socket-permissions", "660"];
        for (var life = 0; life < 2; life++)
        {
            using var process = KeyEvtProcess.Launch(arguments);
            await process.LineAsync("where it listens", line => line.Contains(clients, StringComparison.Ordinal));
            Assert.Equal("660\n660\n", (await Run.ToEndAsync("stat", ["-c", "%a", clients, admin])).Output);
            await using (var client = await RespClient.ConnectUnixAsync(clients))
            {
                Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
            }

            Assert.Equal(0, (await KeyEvtProcess.RunAsync(["health", "--admin", $"unix:{admin}"])).ExitCode);
            var second = await KeyEvtProcess.RunAsync([.. arguments, "--log-level", "none"]);
            Assert.Equal((2, $"cannot listen on unix:{admin}: another program listens there"), (second.ExitCode, second.Errors.Trim()));
            await process.KillAsync();
        }
        Assert.True(File.Exists(clients));
    }

    [Fact]
    public async Task Files_that_others_may_read_are_a_warning_at_the_start_and_in_check()
    {
        var open = _folder.Write("password", "secret\n");
        File.SetUnixFileMode(open, Mode600 | UnixFileMode.OtherRead);
        var config = _folder.Write("keyevt.json", $$"""{ "amqp-password-file": "{{open}}" }""");
        File.SetUnixFileMode(config, Mode600);
        var warning = $"'amqp-password-file' in {config} names the file '{open}', which others may read (mode 604): take these rights away (chmod go-rwx)";
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--config", config]);
        await program.Process.SaysAsync(warning);
        Assert.DoesNotContain("--config names", program.Process.AllText, StringComparison.Ordinal);
        var check = await KeyEvtProcess.RunAsync(["check", "--upstream", _redis.Url, "--config", config]);
        Assert.Contains(warning, check.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_admin_token_is_asked_for_and_read_again_at_SIGHUP()
    {
        var file = _folder.Write("token", "first\n");
        File.SetUnixFileMode(file, Mode600);
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--admin-token-file", file]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await program.GetAsync("/info")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await program.GetAsync("/metrics")).Status);
        Assert.Equal(HttpStatusCode.OK, await InfoAsync(program, "first"));
        Assert.Equal(0, (await KeyEvtProcess.RunAsync(["health", "--admin", $"127.0.0.1:{program.AdminPort}"])).ExitCode);
        _folder.Write("token", "second\n");
        program.Process.Signal(ChildProcess.SigHup);
        await Eventually.TrueAsync("the new token", async () => await InfoAsync(program, "second") == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await InfoAsync(program, "first"));
        File.Delete(file);
        program.Process.Signal(ChildProcess.SigHup);
        await program.Process.SaysAsync($"The secret stays as it was: the file {file}");
        Assert.Equal(HttpStatusCode.OK, await InfoAsync(program, "second"));
        Assert.DoesNotContain("second", program.Process.AllText, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> InfoAsync(KeyEvtProcess program, string token)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{program.AdminPort}/info"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}

using System.Net;
using System.Net.Sockets;
using Xunit;

namespace KeyEvt.Proxy.Tests;

/// <summary>With which exit code and which text does the program answer its command line?</summary>
public sealed class ApplicationTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public async Task A_wrong_option_ends_with_2_and_one_line_for_each_fault_on_stderr()
    {
        Assert.Equal(2, await RunAsync("--window", "0", "--delivery-mode", "3", "--nonsense"));
        Assert.Equal("", _output.ToString());
        Assert.Equal(3, _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("health")]
    [InlineData("run")]
    public async Task Every_command_checks_the_options(string command)
    {
        Assert.Equal(2, await RunAsync(command, "--window", "0"));
    }

    [Fact]
    public async Task An_unknown_command_ends_with_2()
    {
        Assert.Equal(2, await RunAsync("runn"));
        Assert.Equal("there is a word that is neither a command nor an option: see keyevt --help", _error.ToString().TrimEnd());
    }

    [Fact]
    public async Task Help_lists_every_option_with_its_default()
    {
        Assert.Equal(0, await RunAsync("--help"));
        foreach (var option in KeyEvt.Proxy.Options.OptionTable.WithConfig)
        {
            Assert.Contains($"--{option.Name} <{option.ValueName}>", _output.ToString());
        }

        Assert.Contains("[default: redis://127.0.0.1:6379]", _output.ToString());
        Assert.DoesNotContain("Additional Arguments", _output.ToString());
    }

    [Fact]
    public async Task Version_is_one_line()
    {
        Assert.Equal(0, await RunAsync("--version"));
        Assert.Matches(@"^\d+\.\d+\.\d+\S*$", _output.ToString().TrimEnd());
    }

    [Fact]
    public async Task Check_ends_with_1_and_remedies_when_nothing_answers()
    {
        var port = PortOfNobody();
        Assert.Equal(1, await RunAsync("check", "--upstream", $"redis://u:canary@127.0.0.1:{port}", "--amqp", $"amqp://u:canary@127.0.0.1:{port}"));
        var text = _output.ToString();
        Assert.Contains($"upstream redis://u@127.0.0.1:{port}", text);
        Assert.Contains($"broker amqp://u@127.0.0.1:{port}/", text);
        Assert.Equal(2, text.Split('\n').Count(line => line.StartsWith("  FAILS    connect", StringComparison.Ordinal)));
        Assert.Equal(2, text.Split('\n').Count(line => line.Contains("-> check --", StringComparison.Ordinal)));
        Assert.DoesNotContain("canary", text);
    }

    [Fact]
    public async Task Health_ends_with_1_when_nobody_answers()
    {
        Assert.Equal(1, await RunAsync("health", "--admin", $"127.0.0.1:{PortOfNobody()}"));
    }

    private Task<int> RunAsync(params string[] args) => Application.RunAsync(args, [], _output, _error);

    /// <summary>A port that was free a moment ago.</summary>
    private static int PortOfNobody()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

// What does a person with redis-cli see?
using System.Globalization;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>Runs the real redis-cli against one port; output as it prints it to a pipe.</summary>
public sealed class RedisCli(int port)
{
    /// <summary>One command; the printed reply without the last line break.</summary>
    public async Task<string> RunAsync(params string[] arguments)
        => (await RunWithAsync(arguments).ConfigureAwait(false)).Output.TrimEnd('\n');

    /// <summary>Options and command as given; input, if any, through its standard input.</summary>
    public Task<RunResult> RunWithAsync(IEnumerable<string> arguments, byte[]? input = null, TimeSpan? deadline = null)
        => Run.ToEndAsync(ServerPrograms.RedisCli, ["-p", port.ToString(CultureInfo.InvariantCulture), .. arguments], input, deadline: deadline);

    /// <summary>A whole session: one command a line, as typed.</summary>
    public async Task<string> SessionAsync(params string[] lines)
        => (await RunWithAsync([], Encoding.Latin1.GetBytes(string.Join('\n', lines) + "\n")).ConfigureAwait(false)).Output.TrimEnd('\n');

    /// <summary>Starts one that does not end by itself: MONITOR, SUBSCRIBE.</summary>
    public ChildProcess Start(params string[] arguments)
        => ChildProcess.Start(ServerPrograms.RedisCli, ["-p", port.ToString(CultureInfo.InvariantCulture), .. arguments], withInput: true);
}

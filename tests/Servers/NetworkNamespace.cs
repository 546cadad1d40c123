// How does a test put a wire between two processes of this machine, and cut it?
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace KeyEvt.Servers;

/// <summary>
/// A network namespace of the test's own, joined to this machine's by a pair of virtual Ethernet devices. What listens inside is reached from outside at
/// <see cref="Inside"/>. With the link down packets vanish and nobody is told: connections stay half-open. Needs root and iproute2.
/// </summary>
public sealed class NetworkNamespace : IAsyncDisposable
{
    private const int CloneNewNet = 0x40000000;
    private static int _count;
    private readonly string _name;
    private readonly string _outer;
    private readonly string _inner;

    private NetworkNamespace()
    {
        var number = Interlocked.Increment(ref _count);
        var id = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{number}");
        (_name, _outer, _inner) = ($"keyevt-{id}", $"ko{id}", $"ki{id}");

        // 10.213.0.0/16 in pieces of 4: which one follows from the process id, so that test processes side by side rarely meet.
        var piece = ((Environment.ProcessId * 16) + number) & 0x3FFF;
        Outside = new IPAddress([10, 213, (byte)(piece >> 6), (byte)(((piece & 63) << 2) + 1)]);
        Inside = new IPAddress([10, 213, (byte)(piece >> 6), (byte)(((piece & 63) << 2) + 2)]);
    }

    public IPAddress Outside { get; }

    public IPAddress Inside { get; }

    /// <summary>Null where this machine or this user cannot have one; the reason is for the one who skips a test.</summary>
    public static async Task<(NetworkNamespace? Namespace, string Reason)> TryCreateAsync()
    {
        if (!OperatingSystem.IsLinux()) return (null, "network namespaces are Linux'");

        await SweepOfTheDeadAsync().ConfigureAwait(false);
        var made = new NetworkNamespace();
        try
        {
            await IpAsync($"netns add {made._name}").ConfigureAwait(false);
            await IpAsync($"link add {made._outer} type veth peer name {made._inner} netns {made._name}").ConfigureAwait(false);
            await IpAsync($"address add {made.Outside}/30 dev {made._outer}").ConfigureAwait(false);
            await IpAsync($"link set {made._outer} up").ConfigureAwait(false);
            await IpAsync($"-n {made._name} address add {made.Inside}/30 dev {made._inner}").ConfigureAwait(false);
            await made.LinkUpAsync().ConfigureAwait(false);
            return (made, "");
        }
        catch (Exception e)
        {
            await made.DisposeAsync().ConfigureAwait(false);
            return (null, e.Message);
        }
    }

    /// <summary>At the inner end: for those outside the address stays where it was, and no error comes back.</summary>
    public Task LinkDownAsync() => IpAsync($"-n {_name} link set {_inner} down");

    public Task LinkUpAsync() => IpAsync($"-n {_name} link set {_inner} up");

    /// <summary>Each packet in both directions late, and some lost; the kernel's own words where it has no netem.</summary>
    public async Task<string?> TrySlowAsync(int milliseconds, int lossPercent)
    {
        var how = string.Create(CultureInfo.InvariantCulture, $"root netem delay {milliseconds}ms loss {lossPercent}%");
        foreach (var arguments in new[] { $"qdisc add dev {_outer} {how}", $"-n {_name} qdisc add dev {_inner} {how}" })
        {
            var result = await RunAsync("tc", arguments).ConfigureAwait(false);
            if (result.ExitCode != 0) return $"tc {arguments}: {result.Errors.Trim()}";
        }

        return null;
    }

    /// <summary>Runs on a thread that is inside: a socket made there belongs to the namespace for all its life.</summary>
    public T MakeInside<T>(Func<T> make)
    {
        T made = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/var/run/netns/{_name}");
                if (setns(handle.DangerousGetHandle().ToInt32(), CloneNewNet) != 0)
                {
                    throw new InvalidOperationException($"setns failed with {Marshal.GetLastPInvokeError()}");
                }

                made = make();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true, Name = "inside the namespace" };
        thread.Start();
        thread.Join();
        return failure is null ? made : throw new InvalidOperationException($"inside {_name}: {failure.Message}", failure);
    }

    public async ValueTask DisposeAsync()
    {
        // The outer end takes the inner one with it; a namespace alone would live on as long as a socket in it.
        await RunAsync("ip", $"link delete {_outer}").ConfigureAwait(false);
        await RunAsync("ip", $"netns delete {_name}").ConfigureAwait(false);
    }

    /// <summary>Namespaces of test processes that were killed.</summary>
    private static async Task SweepOfTheDeadAsync()
    {
        foreach (var path in Directory.Exists("/var/run/netns") ? Directory.GetFiles("/var/run/netns", "keyevt-*") : [])
        {
            var name = Path.GetFileName(path);
            if (name.Split('-') is [_, var pid, var number] && !Directory.Exists($"/proc/{pid}"))
            {
                await RunAsync("ip", $"link delete ko{pid}-{number}").ConfigureAwait(false);
                await RunAsync("ip", $"netns delete {name}").ConfigureAwait(false);
            }
        }
    }

    private static async Task IpAsync(string arguments)
    {
        var result = await RunAsync("ip", arguments).ConfigureAwait(false);
        if (result.ExitCode != 0) throw new InvalidOperationException($"ip {arguments}: {result.Errors.Trim()}");
    }

    private static Task<RunResult> RunAsync(string program, string arguments) => Run.ToEndAsync(program, arguments.Split(' '), deadline: TimeSpan.FromSeconds(10));

#pragma warning disable SYSLIB1054, IDE1006 // one plain libc call: no generated marshalling wanted; libc's own name
    [DllImport("libc", SetLastError = true)]
    private static extern int setns(int fd, int type);
#pragma warning restore SYSLIB1054, IDE1006
}

using System.Net.Sockets;
using System.Runtime.Versioning;
using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>What is removed at the path of a unix socket, and who may connect to it?</summary>
[UnsupportedOSPlatform("windows")]
public sealed class UnixSocketFileTests : IDisposable
{
    private const UnixFileMode Mode660 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-unix-");

    private string SocketPath => Path.Combine(_folder.FullName, "s");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_file_stays_what_it_was()
    {
        File.WriteAllText(SocketPath, "precious");
        Assert.Equal($"cannot listen on unix:{SocketPath}: a file stands there, which is not removed: name another path, or remove it", Fault());
        Assert.Equal("precious", File.ReadAllText(SocketPath));
    }

    [Fact]
    public void So_does_an_empty_folder()
    {
        Directory.CreateDirectory(SocketPath);
        Assert.Contains("a folder stands there", Fault(), StringComparison.Ordinal);
        Assert.True(Directory.Exists(SocketPath));
    }

    [Fact]
    public void So_does_a_link_and_where_it_leads()
    {
        var target = Path.Combine(_folder.FullName, "target");
        LeaveBehind(target);
        File.CreateSymbolicLink(SocketPath, target);
        Assert.Contains("a link stands there", Fault(), StringComparison.Ordinal);
        Assert.True(FileStatus.Of(target, followLinks: false)!.Value.IsSocket);
    }

    [Fact]
    public void So_does_a_socket_on_which_somebody_listens()
    {
        using var other = Listen();
        Assert.Equal($"cannot listen on unix:{SocketPath}: another program listens there", Fault());
        using var client = Connect();
        Assert.True(client.Connected);
    }

    [Fact]
    public void A_socket_whose_queue_is_full_is_somebodys_and_nobody_waits_for_it()
    {
        using var frozen = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        frozen.Bind(new UnixDomainSocketEndPoint(SocketPath));
        frozen.Listen(0);
        using var first = Connect();
        Assert.Equal($"cannot listen on unix:{SocketPath}: another program listens there", Fault());
    }

    [Fact]
    public void A_socket_of_a_program_that_died_is_replaced()
    {
        LeaveBehind(SocketPath);
        using var socket = Listen();
        using var client = Connect();
        Assert.True(client.Connected);
    }

    [Fact]
    public void At_the_end_it_is_gone()
    {
        Listen().Dispose();
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public void At_the_end_what_somebody_else_has_put_there_stays()
    {
        var socket = Listen();
        File.Delete(SocketPath);
        File.WriteAllText(SocketPath, "precious");
        socket.Dispose();
        Assert.Equal("precious", File.ReadAllText(SocketPath));
    }

    [Fact]
    public void A_socket_that_somebody_else_has_put_there_stays_too()
    {
        var old = Listen();
        File.Move(SocketPath, SocketPath + "-old");
        using var next = Listen();
        old.Dispose();
        using var client = Connect();
        Assert.True(client.Connected);
    }

    [Fact]
    public void It_has_the_wanted_rights_whatever_the_umask()
    {
        using var socket = new ListeningSocket(TransportAddress.Unix(SocketPath), new SocketSettings { UnixSocketMode = Mode660 });
        Assert.Equal(Mode660, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_said()
    {
        var e = Assert.Throws<SocketPathException>(() => new ListeningSocket(TransportAddress.Unix(Path.Combine(_folder.FullName, "nowhere", "s")), new SocketSettings()));
        Assert.EndsWith("No such file or directory", e.Message, StringComparison.Ordinal);
    }

    /// <summary>As a program leaves its socket that is killed.</summary>
    private static void LeaveBehind(string path)
    {
        var elsewhere = path + "-bound";
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(elsewhere));
        socket.Listen(1);
        File.Move(elsewhere, path); // so that disposing does not delete it
    }

    private ListeningSocket Listen() => new(TransportAddress.Unix(SocketPath), new SocketSettings());

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return client;
    }

    private string Fault() => Assert.Throws<SocketPathException>(Listen).Message;
}

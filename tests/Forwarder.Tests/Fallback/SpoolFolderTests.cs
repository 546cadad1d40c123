using System.Runtime.InteropServices;
using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Fallback.Spool;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;
using static KeyEvt.Forwarder.Tests.Fallback.SpoolEntries;

namespace KeyEvt.Forwarder.Tests.Fallback;

/// <summary>What becomes of a spool whose folder is not what it should be, at the start and while it is used?</summary>
public sealed class SpoolFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keyevt-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_folder_that_was_removed_in_use_is_made_again_and_what_was_in_it_is_not_there_any_more()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b", "c"), 0, false);
        await spool.RemoveAsync(Entries("a"), null);
        Directory.Delete(_folder, recursive: true);

        Assert.Equal(new AppendResult(2, 0), await spool.AppendAsync(Entries("d", "e"), 0, false)); // not 4: so the two are counted as lost
        Assert.Equal(2, spool.RemovedEntries);
        Assert.Equal(["d", "e"], await ReadAsync(spool));
        Assert.Equal(new RemoveResult(2, false), await spool.RemoveAsync(Entries("b", "c"), null));
        Assert.Equal(new RemoveResult(1, true), await spool.RemoveAsync(Entries("d"), null));
        spool.Dispose();
        using var again = new LocalSpool(_folder);
        Assert.Equal(["e"], await ReadAsync(again));
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("replaced")]
    [InlineData("moved with its folder")]
    public async Task A_file_that_is_not_the_one_under_its_name_any_more_is_noticed_at_the_next_look(string how)
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a", "b"), 0, false);
        var file = Assert.Single(Directory.GetFiles(_folder, "*.spool"));
        var moved = _folder + "-moved";
        switch (how)
        {
            case "removed":
                File.Delete(file);
                break;
            case "replaced":
                File.Copy(file, file + ".copy");
                File.Move(file + ".copy", file, overwrite: true);
                break;
            default:
                Directory.Move(_folder, moved);
                Directory.CreateDirectory(_folder);
                break;
        }

        Assert.Equal(0, await spool.CountAsync());
        Assert.Equal(2, spool.RemovedEntries);
        if (Directory.Exists(moved)) Directory.Delete(moved, recursive: true);
    }

    [Fact]
    public async Task A_file_that_stands_where_the_next_one_should_is_not_written_over()
    {
        using var spool = new LocalSpool(_folder);
        var inTheWay = Path.Combine(_folder, new string('0', 19) + ".spool");
        await File.WriteAllTextAsync(inTheWay, "others", TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<StoreException>(() => spool.AppendAsync(Entries("a"), 0, false));
        Assert.Contains(inTheWay, error.Message, StringComparison.Ordinal);
        Assert.True(error.IsRefusal);
        Assert.Equal("others", await File.ReadAllTextAsync(inTheWay, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_folder_that_another_program_has_made_its_own_meanwhile_is_left_to_it()
    {
        using var spool = new LocalSpool(_folder);
        await spool.AppendAsync(Entries("a"), 0, false);
        Directory.Delete(_folder, recursive: true);
        using var other = new LocalSpool(_folder);
        var error = await Assert.ThrowsAsync<StoreException>(() => spool.AppendAsync(Entries("b"), 0, false));
        Assert.Contains("in use by another program", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, spool.Count);
    }

    [Fact]
    public void A_folder_is_tried_without_leaving_anything_in_it_and_one_that_takes_no_file_is_told()
    {
        SpoolProbe.Try(_folder);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));

        const int LongestPath = 4095; // of Linux, with the name of the file
        var path = _folder;
        while (path.Length < LongestPath - 20) path = Path.Combine(path, new string('d', Math.Min(200, LongestPath - 10 - path.Length)));
        Directory.CreateDirectory(path);
        Assert.Contains("it cannot be written: ", Assert.Throws<SpoolException>(() => SpoolProbe.Try(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_written_to_the_disk_or_the_error_of_the_system_is_told()
    {
        Marshal.SetLastSystemError(5); // an error of an earlier call, which counts for nothing
        Assert.Equal(0, FileCalls.FlushFolder(_folder));
        Assert.Equal(2, FileCalls.FlushFolder(Path.Combine(_folder, "nowhere"))); // ENOENT
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("abc.spool")]
    [InlineData("0.spool")]
    [InlineData("99999999999999999999.spool")] // 20 digits
    [InlineData("9999999999999999999.spool")] // beyond a long
    [InlineData("0000000000000000000.spool.bak")]
    public async Task A_name_that_is_not_the_spools_own_is_told_at_the_start(string name)
    {
        var path = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(path, "something", TestContext.Current.CancellationToken);
        IsRefused(path);
        Assert.Equal("something", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("0000000000000000000.spool")]
    [InlineData("head")]
    [InlineData("lock")]
    public void Folders_links_and_pipes_in_the_place_of_its_files_are_told_at_the_start(string name)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(path);
        IsRefused(path);
        Directory.Delete(path);

        var elsewhere = Path.GetTempFileName();
        File.CreateSymbolicLink(path, elsewhere);
        IsRefused(path);
        File.Delete(path);
        File.Delete(elsewhere);

        File.CreateSymbolicLink(path, "nowhere");
        IsRefused(path);
        File.Delete(path);
    }

    [Fact]
    public void What_belongs_to_the_system_may_be_there()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "lost+found"));
        File.WriteAllText(Path.Combine(_folder, ".nfs0000001"), "");
        using var spool = new LocalSpool(_folder);
        Assert.Equal(0, spool.Count);
    }

    [Theory]
    [InlineData("4")]
    [InlineData("-1")]
    [InlineData("three")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    public async Task A_head_that_this_program_could_not_have_written_is_told_at_the_start(string head)
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("a", "b", "c"), 0, false);

        var path = Path.Combine(_folder, "head");
        await File.WriteAllTextAsync(path, head, TestContext.Current.CancellationToken);
        IsRefused(path);
        await File.WriteAllTextAsync(path, "3", TestContext.Current.CancellationToken);
        using var again = new LocalSpool(_folder);
        Assert.Equal(0, again.Count);
    }

    [Fact]
    public async Task A_head_may_be_the_largest_index_and_no_larger_one()
    {
        using var folder = new SpoolFolder(_folder, new RecordingLogger());
        await File.WriteAllTextAsync(folder.HeadPath, "1000000000000000000", TestContext.Current.CancellationToken);
        Assert.Equal(SpoolFolder.MaxIndex, SpoolHead.Read(folder));
        await File.WriteAllTextAsync(folder.HeadPath, "1000000000000000001", TestContext.Current.CancellationToken);
        Assert.Throws<SpoolException>(() => SpoolHead.Read(folder));
    }

    [Fact]
    public async Task A_file_that_begins_within_another_is_told_at_the_start()
    {
        using (var spool = new LocalSpool(_folder)) await spool.AppendAsync(Entries("a", "b", "c"), 0, false);

        var second = Path.Combine(_folder, "0000000000000000001.spool");
        File.Copy(Assert.Single(Directory.GetFiles(_folder, "*.spool")), second);
        IsRefused(second);
    }

    [Fact]
    public void A_file_in_the_place_of_the_folder_is_told_at_the_start()
    {
        var path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "");
        Assert.StartsWith($"--spool {path}: ", Assert.Throws<SpoolException>(() => new LocalSpool(path)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"--spool {path}/below: ", Assert.Throws<SpoolException>(() => new LocalSpool(path + "/below")).Message, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Folder_and_files_are_for_the_owner_only()
    {
        var folder = Path.Combine(_folder, "new");
        var log = new RecordingLogger();
        using (var spool = new LocalSpool(folder, log))
        {
            await spool.AppendAsync(Entries("a", "b"), 0, false);
            await spool.RemoveAsync(Entries("a"), null);
        }

        const UnixFileMode File600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(File600 | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Equal(3, Directory.GetFiles(folder).Length);
        Assert.All(Directory.GetFiles(folder), file => Assert.Equal(File600, File.GetUnixFileMode(file)));
        Assert.Empty(log.Lines);

        // What an earlier program left open is closed; of the folder, which may have its reasons, it is said.
        var segment = Assert.Single(Directory.GetFiles(folder, "*.spool"));
        File.SetUnixFileMode(segment, File600 | UnixFileMode.OtherRead);
        File.SetUnixFileMode(folder, File600 | UnixFileMode.UserExecute | UnixFileMode.GroupWrite);
        using var again = new LocalSpool(folder, log);
        Assert.Equal(File600, File.GetUnixFileMode(segment));
        Assert.Contains("720", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    private void IsRefused(string path)
    {
        var error = Assert.Throws<SpoolException>(() => new LocalSpool(_folder));
        Assert.StartsWith($"--spool {_folder}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }
}

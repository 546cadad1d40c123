// Are files and rooms small enough to be read in one sitting?
using Xunit;

namespace KeyEvt.Proxy.Tests.Architecture;

public sealed class SizeTests
{
    private const int MaxLines = 350;
    private const int MaxFilesInRoom = 20;

    private static IEnumerable<string> Source => SourceTree.Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal));

    [Fact]
    public void No_file_is_longer_than_350_lines() =>
        Assert.Empty(Lengths().Where(each => each.Lines > MaxLines).Select(each => $"{each.File}: {each.Lines} lines"));

    [Fact]
    public void Half_of_the_files_have_48_lines_at_most_and_nine_tenths_169()
    {
        var lengths = Lengths().Select(each => each.Lines).Order().ToList();
        Assert.InRange(lengths[lengths.Count / 2], 1, 48);
        Assert.InRange(lengths[lengths.Count * 9 / 10], 1, 169);
    }

    [Fact]
    public void No_room_has_more_than_20_files() =>
        Assert.Empty(Source.GroupBy(SourceTree.RoomOf).Where(room => room.Count() > MaxFilesInRoom).Select(room => $"{room.Key}: {room.Count()} files"));

    [Fact]
    public void No_two_files_of_a_project_have_names_that_differ_by_an_s_only()
    {
        var names = Source.Select(file => (Project: SourceTree.ProjectOf(file), Name: Path.GetFileNameWithoutExtension(file))).ToHashSet();
        Assert.Empty(names.Where(each => names.Contains((each.Project, each.Name + "s"))).Select(each => $"{each.Project}: {each.Name}"));
    }

    private static IEnumerable<(string File, int Lines)> Lengths() => Source.Select(file => (file, File.ReadLines(Path.Combine(SourceTree.Root, file)).Count()));
}

//! Many vectors in cells around a few centres, so that a search looks at a few cells only.
//!
//! A question that comes close enough to be answered from the cache lies in the cell of the entry
//! or beside it: the nearest [`N_PROBES`] cells are looked at. What is found is compared exactly;
//! what lies elsewhere is missed, which costs a call and nothing else.
//!
//! Source: the inverted file index of H. Jégou, M. Douze, C. Schmid, "Product quantization for nearest
//! neighbor search", 2011, without the quantization.

use std::collections::VecDeque;
use std::sync::Arc;

use super::index::dot;

/// Cells that a search looks at.
pub(crate) const N_PROBES: usize = 8;
/// Most cells: assigning a row costs a comparison with each centre.
const MAX_CELLS: usize = 128;
/// Rows that centres are found from, for each.
const SAMPLE_PER_CELL: usize = 32;
/// Times that centres move to the middle of their rows.
const N_MOVES: usize = 2;

/// Centres, and which rows are nearest to each. Rows are called by a number that never changes.
#[derive(Debug)]
pub(crate) struct Cells {
    n_dimensions: usize,
    centres: Vec<f32>,
    members: Vec<VecDeque<u64>>,
    /// Rows that there were when the centres were found.
    n_rows: usize,
}

impl Cells {
    /// Finds centres for rows of length one and puts each row, numbered from `first`, into its cell.
    /// Takes seconds for a hundred thousand long rows.
    pub(crate) fn of(rows: &[Arc<[f32]>], first: u64) -> Cells {
        let n_cells = rows.len().isqrt().clamp(1, MAX_CELLS);
        let mut cells = Cells {
            n_dimensions: rows.first().map_or(1, |it| it.len().max(1)),
            centres: spread(rows, n_cells).flat_map(|it| it.iter().copied()).collect(),
            members: vec![VecDeque::new(); n_cells],
            n_rows: rows.len(),
        };
        for _ in 0..N_MOVES {
            cells.move_centres(spread(rows, n_cells * SAMPLE_PER_CELL));
        }
        for (number, row) in (first..).zip(rows) {
            cells.add(number, row);
        }
        cells
    }

    /// Numbers of a vector.
    pub(crate) fn n_dimensions(&self) -> usize {
        self.n_dimensions
    }

    /// Whether there are so many rows by now that other centres would be better.
    pub(crate) fn is_outgrown(&self, n_rows: usize) -> bool {
        n_rows >= self.n_rows.saturating_mul(2)
    }

    /// Puts a row into its cell. Numbers go up.
    pub(crate) fn add(&mut self, number: u64, row: &[f32]) {
        let nearest = self.nearest(row);
        if let Some(cell) = self.members.get_mut(nearest) {
            cell.push_back(number);
        }
    }

    /// Removes a row, which is the oldest of all.
    pub(crate) fn remove_oldest(&mut self, number: u64) {
        for cell in &mut self.members {
            if cell.front() == Some(&number) {
                cell.pop_front();
                return;
            }
        }
    }

    /// The rows of the cells nearest to a vector.
    pub(crate) fn near(&self, vector: &[f32]) -> impl Iterator<Item = u64> {
        let mut order: Vec<(f32, usize)> = self.similarities(vector).zip(0..).collect();
        let n_probes = N_PROBES.min(order.len());
        if n_probes < order.len() {
            order.select_nth_unstable_by(n_probes, |a, b| b.0.total_cmp(&a.0));
        }
        order.truncate(n_probes);
        order.into_iter().filter_map(|(_, cell)| self.members.get(cell)).flatten().copied()
    }

    fn similarities(&self, vector: &[f32]) -> impl Iterator<Item = f32> {
        self.centres.chunks_exact(self.n_dimensions).map(move |it| dot(it, vector))
    }

    fn nearest(&self, row: &[f32]) -> usize {
        let found = self.similarities(row).zip(0..).max_by(|a, b| a.0.total_cmp(&b.0));
        found.map_or(0, |(_, cell)| cell)
    }

    /// Each centre to the middle of the rows that are nearest to it, brought to length one.
    fn move_centres<'a>(&mut self, sample: impl Iterator<Item = &'a Arc<[f32]>>) {
        let mut sums = vec![0.0_f32; self.centres.len()];
        for row in sample {
            let at = self.nearest(row) * self.n_dimensions;
            for (sum, number) in sums.iter_mut().skip(at).zip(row.iter()) {
                *sum += number;
            }
        }
        let size = self.n_dimensions;
        for (centre, sum) in self.centres.chunks_exact_mut(size).zip(sums.chunks_exact(size)) {
            let length = dot(sum, sum).sqrt();
            // A centre that nothing is near to stays.
            if length > f32::EPSILON {
                for (to, from) in centre.iter_mut().zip(sum) {
                    *to = from / length;
                }
            }
        }
    }
}

/// So many rows at most, evenly spread.
fn spread(rows: &[Arc<[f32]>], n_wanted: usize) -> impl Iterator<Item = &Arc<[f32]>> {
    let step = rows.len().div_ceil(n_wanted.max(1)).max(1);
    rows.iter().step_by(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_DIMENSIONS: usize = 64;

    /// Numbers that look random and are the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bits = u16::try_from(self.0 >> 48).unwrap();
            f32::from(bits) / 32768.0 - 1.0
        }

        fn unit(&mut self) -> Vec<f32> {
            let it = (0..N_DIMENSIONS).map(|_| self.next()).collect();
            unit(it)
        }
    }

    fn unit(mut it: Vec<f32>) -> Vec<f32> {
        let length = dot(&it, &it).sqrt();
        it.iter_mut().for_each(|x| *x /= length);
        it
    }

    fn rows(n: usize, numbers: &mut Numbers) -> Vec<Arc<[f32]>> {
        (0..n).map(|_| numbers.unit().into()).collect()
    }

    /// Even where rows lie anywhere, which is the worst case: texts lie in heaps.
    #[test]
    fn what_is_near_is_found_nearly_always() {
        let mut numbers = Numbers(1);
        let rows = rows(5000, &mut numbers);
        let cells = Cells::of(&rows, 100);
        let (mut n_found, mut n_looked_at) = (0, 0);
        for (number, row) in rows.iter().enumerate().step_by(10) {
            // At a distance of about 0.05.
            let noise = numbers.unit();
            let question = unit(row.iter().zip(&noise).map(|(a, b)| a + b * 0.32).collect());
            assert!((0.02..0.08).contains(&(1.0 - dot(&question, row))));
            let near: Vec<u64> = cells.near(&question).collect();
            n_found += usize::from(near.contains(&(100 + u64::try_from(number).unwrap())));
            n_looked_at += near.len();
        }
        assert!(n_found >= 450, "{n_found} of 500");
        assert!(n_looked_at < 500 * 5000 / 4, "{n_looked_at}");
    }

    #[test]
    fn every_row_is_in_one_cell_until_it_is_removed() {
        let mut numbers = Numbers(2);
        let rows = rows(300, &mut numbers);
        let mut cells = Cells::of(&rows, 0);
        let all = |cells: &Cells| {
            let mut all: Vec<u64> = cells.members.iter().flatten().copied().collect();
            all.sort_unstable();
            all
        };
        assert_eq!(all(&cells), (0..300).collect::<Vec<_>>());
        (0..200).for_each(|number| cells.remove_oldest(number));
        cells.add(300, &numbers.unit());
        assert_eq!(all(&cells), (200..301).collect::<Vec<_>>());
        assert!(!cells.is_outgrown(599) && cells.is_outgrown(600));
    }

    #[test]
    fn rows_that_are_all_the_same_are_no_trouble() {
        let rows = vec![Arc::from([1.0, 0.0]); 50];
        let cells = Cells::of(&rows, 0);
        assert_eq!(cells.near(&[1.0, 0.0]).count(), 50);
        assert_eq!(Cells::of(&[], 0).near(&[1.0, 0.0]).count(), 0);
    }
}
